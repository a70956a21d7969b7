// Shared memory for images: the control plane allocates and publishes segments, data threads hold what they read.
//
// Memory is a list of chunks (SharedArrayBuffers that are never given back, since replacing them leaks: see
// docs/performance.md). A segment is a run of 64-byte units in one chunk; its reference is one int32:
//
//     ref = chunk << 24 | firstUnit          (0 is "nothing": unit 0 of chunk 0 is never handed out)
//
// One segment is current: the directory, from which everything else is reached. Publishing stores its reference in the
// control block. A reader stores the reference that it is about to use in its own hold word and reads `current` again:
// from then on the writer will not free that directory, nor anything that it names, until the hold word changes.
//
//     control block, int32 words:   0 current   1 chunks   16+16r hold word of reader r (padded to a cache line)
import { limits } from '../base/limits.ts';

/** A segment's address in the store, see above. */
export type SegmentRef = number;

const UNIT_BYTES = 64;
const UNIT_WORDS = UNIT_BYTES / 4;
const UNIT_BITS = 24;
const CURRENT = 0;
const CHUNKS = 1;
const HOLD_BASE = 16;
const HOLD_STRIDE = 16;

/** What a thread needs to read the store: transferred once, at the thread's start. */
export interface StoreHandle {
  readonly control: SharedArrayBuffer;
  readonly chunks: readonly SharedArrayBuffer[];
}

/** Readers there is room for: data threads, the TCP thread, the main thread, and a spare for each while it restarts. */
export const READERS = limits.workers + 8;

interface Chunk {
  readonly buffer: SharedArrayBuffer;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** Free runs, sorted by first unit, never adjacent. */
  free: { first: number; units: number }[];
}

interface Published {
  readonly ref: SegmentRef;
  readonly uses: readonly SegmentRef[];
}

/** The writing side; lives in the main thread. */
export class Store {
  readonly control = new SharedArrayBuffer((HOLD_BASE + HOLD_STRIDE * READERS) * 4);
  readonly #control = new Int32Array(this.control);
  readonly #chunks: Chunk[] = [];
  readonly #uses = new Map<SegmentRef, { count: number; units: number }>();
  readonly #chunkBytes: number;
  #published: Published | null = null;
  #retired: Published[] = [];
  readonly #onChunk: (index: number, buffer: SharedArrayBuffer) => void;

  /** Told of the memory of each large segment that is free: its pages may go back to the system; their content is nobody's any more. */
  onFree: (bytes: Uint8Array) => void = () => {};

  /** @param onChunk told of each new chunk before anything in it is published: hand it to every reader. */
  constructor(
    onChunk: (index: number, buffer: SharedArrayBuffer) => void,
    chunkBytes: number = limits.storeChunkBytes,
  ) {
    this.#onChunk = onChunk;
    this.#chunkBytes = chunkBytes;
  }

  handle(): StoreHandle {
    return { control: this.control, chunks: this.#chunks.map((chunk) => chunk.buffer) };
  }

  /** Bytes of all chunks (address space; untouched pages take no memory) and bytes in use. */
  size(): { reservedBytes: number; usedBytes: number } {
    let usedBytes = 0;
    for (const use of this.#uses.values()) usedBytes += use.units * UNIT_BYTES;
    return { reservedBytes: this.#chunks.reduce((sum, chunk) => sum + chunk.buffer.byteLength, 0), usedBytes };
  }

  /**
   * Copies an image into a new segment. It lives while it is used: by a published directory that names it, or by the
   * caller until `release`.
   */
  add(image: Uint8Array): SegmentRef {
    const ref = this.reserve(image.length);
    this.#chunks[ref >>> UNIT_BITS]!.bytes.set(image, (ref & ((1 << UNIT_BITS) - 1)) * UNIT_BYTES);
    return ref;
  }

  /** As `add`, for an image that another thread writes where it shall stand. */
  reserve(bytes: number): SegmentRef {
    const units = Math.ceil(bytes / UNIT_BYTES);
    let index = this.#chunks.findIndex((chunk) => chunk.free.some((run) => run.units >= units));
    if (index < 0) index = this.#grow(units);
    const chunk = this.#chunks[index]!;
    const at = chunk.free.findIndex((run) => run.units >= units);
    const run = chunk.free[at]!;
    const first = run.first;
    if (run.units === units) chunk.free.splice(at, 1);
    else {
      run.first += units;
      run.units -= units;
    }
    const ref = (index << UNIT_BITS) | first;
    this.#uses.set(ref, { count: 1, units });
    return ref;
  }

  /** The bytes of a segment, for the writer to fill in what is only known here (before it is published). */
  words(ref: SegmentRef): Int32Array {
    const first = (ref & ((1 << UNIT_BITS) - 1)) * UNIT_WORDS;
    return this.#chunks[ref >>> UNIT_BITS]!.words.subarray(first, first + this.#uses.get(ref)!.units * UNIT_WORDS);
  }

  /** Where a segment lies, for the thread that writes it. */
  where(ref: SegmentRef): { readonly chunk: SharedArrayBuffer; readonly word: number } {
    return { chunk: this.#chunks[chunkOf(ref)]!.buffer, word: wordOf(ref) };
  }

  /** Ends the caller's own use of a segment. */
  release(ref: SegmentRef): void {
    const use = this.#uses.get(ref);
    if (use === undefined) throw new Error(`segment ${ref} is not in use`);
    use.count--;
    if (use.count === 0) {
      this.#uses.delete(ref);
      this.#giveBack(ref, use.units);
    }
  }

  /** Makes `directory` current. `uses` are all segments that it names; store and caller share their use. */
  publish(directory: SegmentRef, uses: readonly SegmentRef[]): void {
    for (const ref of uses) this.#uses.get(ref)!.count++;
    if (this.#published) this.#retired.push(this.#published);
    this.#published = { ref: directory, uses };
    Atomics.store(this.#control, CURRENT, directory);
    this.reclaim();
  }

  /** Frees what retired directories used, as far as no reader holds them. Returns how many are still held. */
  reclaim(): number {
    const held = new Set<SegmentRef>();
    for (let r = 0; r < READERS; r++) held.add(Atomics.load(this.#control, HOLD_BASE + r * HOLD_STRIDE));
    const keep: Published[] = [];
    for (const old of this.#retired) {
      if (held.has(old.ref)) keep.push(old);
      else {
        for (const ref of old.uses) this.release(ref);
        this.release(old.ref);
      }
    }
    this.#retired = keep;
    return keep.length;
  }

  /** Clears the hold word of a reader whose thread died. */
  dropReader(reader: number): void {
    Atomics.store(this.#control, HOLD_BASE + reader * HOLD_STRIDE, 0);
    this.reclaim();
  }

  #grow(units: number): number {
    const bytes = Math.max(this.#chunkBytes, Math.ceil((units + 1) * UNIT_BYTES));
    const buffer = new SharedArrayBuffer(bytes);
    const index = this.#chunks.length;
    if (index > 0x7f) throw new Error('the segment store has no room for another chunk');
    const first = index === 0 ? 1 : 0;
    this.#chunks.push({
      buffer,
      bytes: new Uint8Array(buffer),
      words: new Int32Array(buffer),
      free: [{ first, units: Math.floor(bytes / UNIT_BYTES) - first }],
    });
    Atomics.store(this.#control, CHUNKS, index + 1);
    this.#onChunk(index, buffer);
    return index;
  }

  #giveBack(ref: SegmentRef, units: number): void {
    const { free, bytes } = this.#chunks[ref >>> UNIT_BITS]!;
    const first = ref & ((1 << UNIT_BITS) - 1);
    if (units * UNIT_BYTES >= limits.storeLargeBytes)
      this.onFree(bytes.subarray(first * UNIT_BYTES, (first + units) * UNIT_BYTES));
    let at = free.findIndex((run) => run.first > first);
    if (at < 0) at = free.length;
    free.splice(at, 0, { first, units });
    const next = free[at + 1];
    if (next && first + units === next.first) {
      free[at]!.units += next.units;
      free.splice(at + 1, 1);
    }
    const previous = free[at - 1];
    if (previous && previous.first + previous.units === first) {
      previous.units += free[at]!.units;
      free.splice(at, 1);
    }
  }
}

/** The reading side: one for each thread, with a reader number of its own. */
export class StoreReader {
  readonly #control: Int32Array;
  readonly #hold: number;
  /** Views of the chunks by number. */
  readonly words: Int32Array[] = [];
  readonly bytes: Uint8Array[] = [];
  readonly #receive: () => void;

  /** @param receive called when a chunk is used that this thread doesn't know: must deliver it through `addChunk`. */
  constructor(handle: StoreHandle, reader: number, receive: () => void) {
    this.#control = new Int32Array(handle.control);
    this.#hold = HOLD_BASE + reader * HOLD_STRIDE;
    this.#receive = receive;
    handle.chunks.forEach((buffer, index) => {
      this.addChunk(index, buffer);
    });
  }

  addChunk(index: number, buffer: SharedArrayBuffer): void {
    this.words[index] = new Int32Array(buffer);
    this.bytes[index] = new Uint8Array(buffer);
  }

  /** Takes hold of the current directory and returns its reference (0 before the first is published). */
  hold(): SegmentRef {
    for (;;) {
      const ref = Atomics.load(this.#control, CURRENT);
      Atomics.store(this.#control, this.#hold, ref);
      if (Atomics.load(this.#control, CURRENT) === ref) {
        if (Atomics.load(this.#control, CHUNKS) > this.words.length) this.#receive();
        return ref;
      }
    }
  }

  /** Lets go: nothing read before may be used after. */
  letGo(): void {
    Atomics.store(this.#control, this.#hold, 0);
  }
}

/** The chunk that a reference points into. */
export function chunkOf(ref: SegmentRef): number {
  return ref >>> UNIT_BITS;
}

/** The first int32 word of a segment within its chunk. */
export function wordOf(ref: SegmentRef): number {
  return (ref & ((1 << UNIT_BITS) - 1)) * UNIT_WORDS;
}
