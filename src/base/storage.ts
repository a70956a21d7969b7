// What belongs on disk and isn't there: who holds it tries again by this loop, and status, metric and event tell it from here.
import type { Clock } from './clock.ts';
import { limits } from './limits.ts';
import type { Logger } from './log.ts';

/** Something in memory that the disk follows. */
export interface Kept {
  /** Path of its file or folder. */
  readonly file: string;
  /** Stores it as it is now and tells the storage how it went. Never rejects. */
  store(): Promise<unknown>;
  /** Whether somebody took it from the disk. Never rejects. */
  isLost(): Promise<boolean>;
}

/** A file that isn't on disk as it is in memory. */
export interface Unsaved {
  readonly file: string;
  readonly reason: string;
  readonly sinceMs: number;
}

/** A file of an earlier run that could be read in part or not at all. */
export interface Damaged {
  readonly file: string;
  readonly reason: string;
}

export type StorageEvent = 'state-unsaved' | 'state-saved';

/** The one place that knows how storing goes. Nothing here ever throws: storing is best effort, answering isn't. */
export class Storage {
  readonly clock: Clock;
  readonly log: Logger;
  /** Files are read and never written: for a command beside a running server. */
  readonly readOnly: boolean;
  /** Told once when storing begins to fail, and once when all is stored again. */
  onEvent: (kind: StorageEvent, text: string) => void = () => {};
  readonly #kept = new Set<Kept>();
  readonly #unsaved = new Map<Kept, Unsaved>();
  readonly #damaged = new Map<string, Damaged>();
  #waitMs: number = limits.stateLookMs;
  #cancel: (() => void) | null = null;
  #running = false;

  constructor(options: { clock: Clock; log: Logger; readOnly?: boolean }) {
    this.clock = options.clock;
    this.log = options.log;
    this.readOnly = options.readOnly ?? false;
  }

  /** What isn't stored, the oldest first. */
  get unsaved(): readonly Unsaved[] {
    return [...this.#unsaved.values()];
  }

  /** What of the earlier runs' files could not be used. */
  get damaged(): readonly Damaged[] {
    return [...this.#damaged.values()];
  }

  add(kept: Kept): void {
    this.#kept.add(kept);
  }

  /** What it could not store is given up. */
  remove(kept: Kept): void {
    this.#kept.delete(kept);
    this.stored(kept);
  }

  /** Something could not be stored: it is tried again until it can be. */
  failed(kept: Kept, error: unknown): void {
    const first = this.#unsaved.size === 0;
    const reason = reasonOf(error);
    this.#unsaved.set(kept, {
      file: kept.file,
      reason,
      sinceMs: this.#unsaved.get(kept)?.sinceMs ?? this.clock.nowMs(),
    });
    if (!first) return;
    const text = `${kept.file} cannot be stored: ${reason}. All goes on in memory and is stored as soon as that can be done; a restart before would lose it`;
    this.log.error({ event: 'state-unsaved', file: kept.file, reason }, text);
    this.onEvent('state-unsaved', text);
    this.#waitMs = limits.stateRetryMs;
    if (this.#running) this.#next();
  }

  /** Something is on disk as it is in memory. */
  stored(kept: Kept): void {
    if (!this.#unsaved.delete(kept) || this.#unsaved.size > 0) return;
    this.log.info({ event: 'state-saved' }, 'all is stored again');
    this.onEvent('state-saved', 'all is stored again');
  }

  /** A file of an earlier run could not be used, or not all of it. */
  damage(file: string, reason: string): void {
    this.#damaged.set(file, { file, reason });
    this.log.error({ event: 'state-damaged', file, reason }, `${file}: ${reason}`);
  }

  /** Somebody mended the file of a damage. */
  repaired(file: string): void {
    this.#damaged.delete(file);
  }

  /** Tries again what could not be stored, and stores again what is gone from the disk, until `stop`. */
  start(): void {
    this.#running = true;
    this.#next();
  }

  stop(): void {
    this.#running = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  #next(): void {
    this.#cancel?.();
    this.#cancel = this.clock.after(this.#waitMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const failing = this.#unsaved.size > 0;
    const kept = [...this.#kept];
    const lost = await Promise.all(kept.map((one) => this.#unsaved.has(one) || one.isLost()));
    const due = kept.filter((_, i) => lost[i]);
    // One after another: on a disk that is just back, all at once would only be in each other's way.
    for (const one of due) await one.store();
    this.#waitMs = failing ? Math.min(this.#waitMs * 2, limits.stateLookMs) : limits.stateLookMs;
    if (this.#unsaved.size > 0 && !failing) this.#waitMs = limits.stateRetryMs;
    if (this.#running) this.#next();
  }
}

/** Why the file system said no, in a few words. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return 'no space left on the disk (ENOSPC)';
  if (code === 'EDQUOT') return 'the quota is used up (EDQUOT)';
  if (code === 'EROFS') return 'the file system is read-only (EROFS)';
  if (code === 'EACCES' || code === 'EPERM') return `no permission (${code})`;
  return message ?? String(error);
}
