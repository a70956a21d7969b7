// Empties the rings of the data threads into the output: formats what stands there, a chunk at a time, as long as the output has room.
//
// An output that has none leaves the records where they are: full rings drop what comes, and the data threads count it.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { RingReader } from '../board/ring.ts';
import type { Format } from './format.ts';
import { readLogged } from './logged-query.ts';
import type { Output } from './output.ts';
import type { NameTable } from './zone-names.ts';

export interface WriterOptions {
  readonly rings: readonly SharedArrayBuffer[];
  readonly names: NameTable;
  readonly format: Format;
  readonly output: Output;
  /** Addresses are shortened. */
  readonly short: boolean;
  readonly clock: Clock;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #rings: RingReader[];
  /** The ring that is emptied now. */
  #next = 0;
  /** A query that didn't fit into the chunk before. */
  #carried: Uint8Array | null = null;
  #restMs: number = limits.queryLogBusyMs;
  #cancel = (): void => {};
  #stopped = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#rings = options.rings.map((ring) => new RingReader(ring));
  }

  addRing(ring: SharedArrayBuffer): void {
    this.#rings.push(new RingReader(ring));
  }

  /** Writes from now on. */
  start(): void {
    const found = this.#turn(limits.queryLogChunks);
    this.#restMs = found ? limits.queryLogBusyMs : Math.min(limits.queryLogIdleMs, this.#restMs * 2);
    this.#cancel = this.#options.clock.after(this.#restMs, () => {
      if (!this.#stopped) this.start();
    });
  }

  /** Writes what is there, and ends. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    this.#turn(Number.POSITIVE_INFINITY);
    await this.#options.output.close();
  }

  /** Writes up to so many chunks. Returns whether there was anything. */
  #turn(most: number): boolean {
    const { output } = this.#options;
    output.turn();
    let chunks = 0;
    while (chunks < most && output.ready && this.#writeChunk()) chunks++;
    return chunks > 0;
  }

  #writeChunk(): boolean {
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (let part = this.#take(); part !== null; part = this.#take()) {
      // A file shall not get longer than it may: what doesn't fit is the next chunk's.
      if (bytes > 0 && bytes + part.length > limits.queryLogChunkBytes) {
        this.#carried = part;
        break;
      }
      parts.push(part);
      bytes += part.length;
    }
    if (parts.length === 0) return false;
    this.#options.output.write(Buffer.concat(parts), parts.length);
    return true;
  }

  /** The next query's bytes; null: the rings are empty. */
  #take(): Uint8Array | null {
    const carried = this.#carried;
    this.#carried = null;
    if (carried !== null) return carried;
    const { names, short, format } = this.#options;
    for (let i = 0; i < this.#rings.length; i++) {
      const ring = this.#rings[this.#next % this.#rings.length]!;
      const at = ring.peek();
      if (at >= 0) {
        const logged = readLogged(ring.words, ring.bytes, at, names, short);
        // Before anything is made of it: a mistake in that must not meet the same record for ever.
        ring.release();
        return format.record(logged);
      }
      this.#next++;
    }
    return null;
  }
}
