// The segment store: what is published is whole, what is held is not freed, what is not held is used again.
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { chunkOf, Store, StoreReader, wordOf } from '../../dist/board/store.js';

const CHUNK = 4096;

afterEach(() => {
  vi.restoreAllMocks();
});

function make(): { store: Store; reader: (n: number) => StoreReader } {
  const readers: StoreReader[] = [];
  const store = new Store((index, buffer) => {
    for (const reader of readers) reader.addChunk(index, buffer);
  }, CHUNK);
  return {
    store,
    reader: (n) => {
      const reader = new StoreReader(store.handle(), n, () => {});
      readers.push(reader);
      return reader;
    },
  };
}

/** A segment of `bytes` octets that all have one value. */
const filled = (value: number, bytes: number): Uint8Array => new Uint8Array(bytes).fill(value);

describe('the store', () => {
  it('shows a reader the directory that was published last', () => {
    const { store, reader } = make();
    const one = reader(0);
    expect(one.hold()).toBe(0);
    store.publish(store.add(filled(1, 64)), []);
    const first = one.hold();
    expect(one.bytes[chunkOf(first)]![wordOf(first) * 4]).toBe(1);
    store.publish(store.add(filled(2, 64)), []);
    const second = one.hold();
    expect(one.bytes[chunkOf(second)]![wordOf(second) * 4]).toBe(2);
  });

  it('does not free what a reader holds, and frees it once it lets go', () => {
    const { store, reader } = make();
    const one = reader(0);
    const zone = store.add(filled(7, 640));
    store.publish(store.add(filled(1, 64)), [zone]);
    store.release(zone);
    one.hold();
    store.publish(store.add(filled(2, 64)), []);
    expect(store.reclaim()).toBe(1);
    const before = store.size().usedBytes;
    one.letGo();
    expect(store.reclaim()).toBe(0);
    expect(store.size().usedBytes).toBe(before - 640 - 64);
  });

  it('frees what a dead reader held', () => {
    const { store, reader } = make();
    reader(3).hold();
    store.publish(store.add(filled(1, 64)), []);
    reader(4).hold();
    store.publish(store.add(filled(2, 64)), []);
    expect(store.reclaim()).toBe(1);
    store.dropReader(4);
    expect(store.reclaim()).toBe(0);
  });

  it('takes the same memory after ten thousand reloads', () => {
    const { store, reader } = make();
    const one = reader(0);
    let zone = store.add(filled(0, 512));
    store.publish(store.add(filled(0, 64)), [zone]);
    const reserved = store.size();
    for (let i = 0; i < 10_000; i++) {
      one.hold();
      const next = store.add(filled(i & 255, 512 + (i % 7) * 64));
      store.publish(store.add(filled(i & 255, 64)), [next]);
      store.release(zone);
      zone = next;
      one.letGo();
    }
    store.reclaim();
    expect(store.size().reservedBytes).toBe(reserved.reservedBytes);
    expect(store.size().usedBytes).toBeLessThan(2048);
  });

  it('makes a chunk of its own for what is larger than a chunk', () => {
    const { store, reader } = make();
    const ref = store.add(filled(9, 3 * CHUNK));
    store.publish(ref, []);
    const one = reader(0);
    const held = one.hold();
    expect(
      one.bytes[chunkOf(held)]!.subarray(wordOf(held) * 4, wordOf(held) * 4 + 3 * CHUNK).every((b) => b === 9),
    ).toBe(true);
  });

  it('never lets two segments overlap, whatever is added and released', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 1500 }), drop: fc.boolean() }), { maxLength: 60 }),
        (steps) => {
          const { store } = make();
          const live: { ref: number; value: number; bytes: number }[] = [];
          steps.forEach(({ bytes, drop }, i) => {
            if (drop && live.length > 0) store.release(live.splice(i % live.length, 1)[0]!.ref);
            const value = (i % 255) + 1;
            live.push({ ref: store.add(filled(value, bytes)), value, bytes });
          });
          for (const { ref, value, bytes } of live) {
            const words = store.words(ref);
            const seen = new Uint8Array(words.buffer, words.byteOffset, bytes);
            expect(seen.every((b) => b === value)).toBe(true);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('tells a reader to fetch a chunk that it does not know before it uses it', () => {
    const chunks: [number, SharedArrayBuffer][] = [];
    const store = new Store((index, buffer) => chunks.push([index, buffer]), CHUNK);
    const late: StoreReader = new StoreReader(store.handle(), 0, () => {
      for (const [index, buffer] of chunks) late.addChunk(index, buffer);
    });
    store.publish(store.add(filled(5, 2 * CHUNK)), []);
    const ref = late.hold();
    expect(late.bytes[chunkOf(ref)]![wordOf(ref) * 4]).toBe(5);
  });

  // The one race of the protocol: between reading what is current and saying so the writer may publish, and free what was read.
  it('hands out nothing that was freed, wherever in hold() the writer comes in between, once or twice', () => {
    const LAST = 12;
    let interventions = 0;
    for (let first = 0; first < LAST; first++) {
      for (let second = first; second < LAST; second++) {
        const { store, reader } = make();
        const one = reader(0);
        store.publish(store.add(filled(1, 64)), []);
        let published = 1;
        let step = 0;
        let writing = false;
        const mayWrite = (): void => {
          if (writing) return;
          const now = step++;
          if (now !== first && now !== second) return;
          interventions++;
          writing = true;
          store.publish(store.add(filled(++published, 64)), []);
          // Takes the place of what publishing has freed.
          store.add(filled(99, 64));
          writing = false;
        };
        for (const access of ['load', 'store'] as const) {
          const real = Atomics[access] as (...args: unknown[]) => never;
          vi.spyOn(Atomics, access).mockImplementation((...args: unknown[]) => {
            mayWrite();
            return real(...args);
          });
        }
        const held = one.hold();
        vi.restoreAllMocks();
        const found = one.bytes[chunkOf(held)]![wordOf(held) * 4];
        expect(found, `the writer came at steps ${first} and ${second}`).toBeLessThanOrEqual(published);
      }
    }
    // All of the steps of a hold() were interrupted, or the test looked at nothing.
    expect(interventions).toBeGreaterThan(LAST);
  });
});
