// The record of what happened: bounded, on disk as one JSON object a line, and told to whoever listens.
import { constants } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { z } from 'zod';
import { limits } from '../base/limits.ts';
import { readTextHere } from '../base/read-file.ts';
import { isMissing, STATE_MODE, storeStable, tighten } from '../base/stable-file.ts';
import type { Kept, Storage } from '../base/storage.ts';

/** Something recorded, with its number: numbers grow by one and are never used again. */
export type Recorded<E> = E & { readonly seq: number };

export interface EventLogOptions<E> {
  /** null: in memory only. */
  readonly kept: { readonly file: string; readonly storage: Storage } | null;
  /** What a line of the file must be, its number aside. */
  readonly schema: z.ZodType<E>;
  /** Events that are kept; limits.events by default. */
  readonly capacity?: number;
}

/** Room for numbers to grow above what a damaged line may hold. */
const Numbered = z.looseObject({
  seq: z
    .number()
    .int()
    .min(1)
    .max(2 ** 48),
});

/** Holds the last events. Lines are appended at once, the file is written anew when it has twice what is kept. */
export class EventLog<E extends object> implements Kept {
  readonly #options: EventLogOptions<E>;
  readonly #storage: Storage | null;
  readonly #capacity: number;
  #events: Recorded<E>[] = [];
  #nextSeq = 1;
  /** Lines of the file that this version can't read, as they stand. */
  #unread: string[] = [];
  /** Lines that are yet to be appended. */
  #pending: string[] = [];
  /** Lines that the file has. */
  #lines = 0;
  /** The file isn't a beginning of what it should be: it is written anew. */
  #rewrite = false;
  /** What lies there can't be read and is moved aside before it would be written over. */
  #foreign = false;
  #there = false;
  /** The disk said no: the storage says when to try again. */
  #failing = false;
  #storing: Promise<void> | null = null;
  readonly #listeners = new Set<(event: Recorded<E>) => void>();

  /** Nothing is read before `load`. */
  constructor(options: EventLogOptions<E>) {
    this.#options = options;
    this.#storage = options.kept?.storage ?? null;
    this.#capacity = options.capacity ?? limits.events;
    this.#storage?.add(this);
  }

  get file(): string {
    return this.#options.kept?.file ?? '';
  }

  /** Takes up what was recorded before. A line that can't be read costs itself alone. */
  load(): void {
    if (this.#options.kept === null) return;
    const { file, storage } = this.#options.kept;
    // A file that isn't there yet is made by the first event.
    this.#rewrite = true;
    try {
      const text = readTextHere(file, limits.eventsFileBytes);
      tighten(file, STATE_MODE);
      this.#there = true;
      this.#take(text);
    } catch (error) {
      if (isMissing(error)) return;
      this.#there = true;
      this.#foreign = true;
      storage.damage(file, `it cannot be read and is ignored: ${(error as Error).message}`);
    }
  }

  /** Records an event and tells the listeners. */
  add(event: E): Recorded<E> {
    const recorded = { ...event, seq: this.#nextSeq++ };
    this.#events.push(recorded);
    if (this.#events.length >= 2 * this.#capacity) this.#events = this.#events.slice(-this.#capacity);
    if (this.#storage !== null) {
      this.#pending.push(JSON.stringify(recorded));
      // A disk that is slower than events come: what is kept is written whole, once it can be.
      if (this.#pending.length > this.#capacity) this.#rewrite = true;
      if (this.#rewrite) this.#pending = [];
      if (!this.#failing) void this.#run();
    }
    for (const listener of this.#listeners) listener(recorded);
    return recorded;
  }

  /** The recorded events with a number greater than `afterSeq`, oldest first, at most the last `most`. */
  list(afterSeq = 0, most = this.#capacity): readonly Recorded<E>[] {
    const found = this.#events.slice(-this.#capacity).filter((event) => event.seq > afterSeq);
    return found.slice(Math.max(0, found.length - most));
  }

  /** Calls back for each event from now on; returns what ends it. */
  subscribe(listener: (event: Recorded<E>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Writes the file anew. */
  store(): Promise<void> {
    this.#rewrite = true;
    this.#failing = false;
    return this.#run();
  }

  async isLost(): Promise<boolean> {
    if (!this.#there) return false;
    return stat(this.file).then(() => false, isMissing);
  }

  /** Ends when what was recorded is stored, or can't be. */
  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#storing;
  }

  #take(text: string): void {
    const { schema, kept } = this.#options;
    const lines = text.split('\n');
    // Whole lines only, so that the next one doesn't grow onto a torn one.
    const torn = lines.pop() !== '';
    let lost = torn ? 1 : 0;
    let last = 0;
    for (const line of lines) {
      if (line === '') continue;
      const numbered = Numbered.safeParse(parse(line));
      if (!numbered.success) {
        lost++;
        continue;
      }
      last = Math.max(last, numbered.data.seq);
      const event = schema.safeParse(numbered.data);
      if (event.success) this.#events.push({ ...event.data, seq: numbered.data.seq });
      else this.#unread.push(line);
    }
    this.#nextSeq = last + 1;
    this.#events = this.#events.slice(-this.#capacity);
    this.#lines = lines.length;
    this.#rewrite = lost > 0 || this.#lines >= 2 * this.#capacity;
    if (lost > 0) kept?.storage.damage(kept.file, `${lost} lines cannot be read and are left out`);
    if (this.#unread.length === 0) return;
    kept?.storage.damage(kept.file, `${this.#unread.length} lines are of another version: they are kept, not shown`);
    this.#unread = this.#unread.slice(-limits.eventsUnread);
  }

  #run(): Promise<void> {
    this.#storing ??= this.#store().then(async () => {
      this.#storing = null;
      if (this.#due && !this.#failing) await this.#run();
    });
    return this.#storing;
  }

  get #due(): boolean {
    return this.#rewrite || this.#pending.length > 0;
  }

  /** Stores until there is nothing more to store. Never rejects. */
  async #store(): Promise<void> {
    try {
      do {
        if (this.#rewrite || this.#lines + this.#pending.length >= 2 * this.#capacity) await this.#writeAll();
        else await this.#append();
        // That all is stored again is an event too.
        if (!this.#due) this.#storage?.stored(this);
      } while (this.#due);
    } catch (error) {
      this.#rewrite = true;
      this.#pending = [];
      this.#failing = true;
      this.#storage?.failed(this, error);
    }
  }

  async #append(): Promise<void> {
    const lines = this.#pending;
    this.#pending = [];
    // Without O_CREAT: a file that somebody removed is written anew with all that is known.
    const handle = await open(this.file, constants.O_WRONLY | constants.O_APPEND).catch((error) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (handle === null) {
      this.#rewrite = true;
      return;
    }
    try {
      await handle.appendFile(`${lines.join('\n')}\n`);
    } finally {
      await handle.close();
    }
    this.#lines += lines.length;
  }

  async #writeAll(): Promise<void> {
    const { file } = this;
    this.#rewrite = false;
    this.#pending = [];
    const lines = [...this.#unread, ...this.#events.slice(-this.#capacity).map((event) => JSON.stringify(event))];
    if (this.#foreign) {
      await rename(file, `${file}.damaged`).catch((error) => {
        if (!isMissing(error)) throw error;
      });
      this.#foreign = false;
    }
    await storeStable(file, lines.map((line) => `${line}\n`).join(''));
    this.#lines = lines.length;
    this.#there = true;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
