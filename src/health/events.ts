// The record of what happened: bounded, on disk as one JSON object a line, and told to whoever listens.
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { writeStable } from '../base/stable-file.ts';

/** Something recorded, with its number: numbers grow by one and are never used again. */
export type Recorded<E> = E & { readonly seq: number };

export interface EventLogOptions {
  /** null: in memory only. */
  readonly file: string | null;
  readonly log: Logger;
  /** Events that are kept; limits.events by default. */
  readonly capacity?: number;
}

/** Holds the last events. Lines are appended at once (kill -9 loses none); the file is written anew when it has twice what is kept. */
export class EventLog<E extends object> {
  readonly #options: EventLogOptions;
  readonly #capacity: number;
  #events: Recorded<E>[] = [];
  #nextSeq = 1;
  #fd: number | null = null;
  #lines = 0;
  readonly #listeners = new Set<(event: Recorded<E>) => void>();

  /** Reads what was recorded before; a line that is torn or garbage is skipped with a warning. */
  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#capacity = options.capacity ?? limits.events;
    if (options.file !== null) this.#load(options.file);
  }

  /** Records an event and tells the listeners. */
  add(event: E): Recorded<E> {
    const recorded = { ...event, seq: this.#nextSeq++ };
    this.#events.push(recorded);
    if (this.#events.length >= 2 * this.#capacity) this.#events = this.#events.slice(-this.#capacity);
    this.#append(recorded);
    for (const listener of this.#listeners) listener(recorded);
    return recorded;
  }

  /** The recorded events with a number greater than `afterSeq`, oldest first, at most the last `most`. */
  list(afterSeq = 0, most = this.#capacity): readonly Recorded<E>[] {
    const found = this.#events.slice(-this.#capacity).filter((event) => event.seq > afterSeq);
    return found.slice(Math.max(0, found.length - most));
  }

  /** The first recorded events with a number greater than `seq`, oldest first, at most `most`. */
  after(seq: number, most: number): readonly Recorded<E>[] {
    const kept = Math.max(0, this.#events.length - this.#capacity);
    let [low, high] = [kept, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.seq > seq) high = middle;
      else low = middle + 1;
    }
    return this.#events.slice(low, low + most);
  }

  /** Calls back for each event from now on; returns what ends it. */
  subscribe(listener: (event: Recorded<E>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#listeners.clear();
  }

  #load(file: string): void {
    try {
      mkdirSync(dirname(file), { recursive: true });
      let damaged = 0;
      for (const line of readText(file).split('\n')) {
        if (line === '') continue;
        const event = parse<E>(line);
        if (event === undefined) damaged++;
        else this.#events.push(event);
      }
      if (damaged > 0)
        this.#options.log.warn(
          { event: 'events-damaged', file, lines: damaged },
          'lines of the event file could not be read and are ignored',
        );
      this.#events = this.#events.slice(-this.#capacity);
      this.#nextSeq = (this.#events.at(-1)?.seq ?? 0) + 1;
      // Whole lines only, so that the next one doesn't grow onto a torn one.
      this.#rewrite(file);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #append(event: Recorded<E>): void {
    if (this.#fd === null) return;
    try {
      writeSync(this.#fd, `${JSON.stringify(event)}\n`);
      if (++this.#lines >= 2 * this.#capacity) this.#rewrite(this.#options.file!);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #rewrite(file: string): void {
    const kept = this.#events.slice(-this.#capacity);
    writeStable(file, kept.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o640 });
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = openSync(file, 'a', 0o640);
    this.#lines = kept.length;
  }

  #trouble(error: unknown): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
    this.#options.log.error(
      { event: 'events-not-stored', file: this.#options.file, error: String(error) },
      'events are kept in memory only',
    );
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return '';
    throw error;
  }
}

function parse<E>(line: string): Recorded<E> | undefined {
  try {
    const event = JSON.parse(line) as Recorded<E>;
    return Number.isSafeInteger(event?.seq) ? event : undefined;
  } catch {
    return undefined;
  }
}
