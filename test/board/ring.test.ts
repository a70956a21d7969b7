// The ring between two threads: what goes in comes out, in order and whole, or is counted as dropped.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRing, RingReader, RingWriter, ringDropped } from '../../dist/board/ring.js';

const BYTES = 256;
const WORDS = BYTES / 4;

/** Puts a record of `count` words in, filled with `value` behind its length. Returns whether there was room. */
function put(writer: RingWriter, count: number, value: number): boolean {
  const at = writer.reserve(count);
  if (at < 0) return false;
  writer.words.fill(value, at + 1, at + count);
  writer.commit();
  return true;
}

/** Takes a record out: its words behind the length; null where there is none. */
function take(reader: RingReader): number[] | null {
  const at = reader.peek();
  if (at < 0) return null;
  const words = [...reader.words.subarray(at + 1, at + reader.words[at]!)];
  reader.release();
  return words;
}

describe('the ring', () => {
  it('gives back what was put in, whatever the order of putting, taking and threads that begin anew', () => {
    const put4 = fc.record({ kind: fc.constant('put' as const), count: fc.integer({ min: 1, max: WORDS }) });
    const other = fc.record({ kind: fc.constantFrom('take' as const, 'writer' as const, 'reader' as const) });
    fc.assert(
      fc.property(fc.array(fc.oneof({ arbitrary: put4, weight: 4 }, other), { maxLength: 300 }), (steps) => {
        const ring = createRing(BYTES);
        let writer = new RingWriter(ring);
        let reader = new RingReader(ring);
        const expected: number[][] = [];
        let dropped = 0;
        steps.forEach((step, i) => {
          if (step.kind === 'put') {
            if (put(writer, step.count, i)) expected.push(new Array(step.count - 1).fill(i));
            else dropped++;
          } else if (step.kind === 'take') expect(take(reader)).toEqual(expected.shift() ?? null);
          else if (step.kind === 'writer') writer = new RingWriter(ring);
          else reader = new RingReader(ring);
        });
        while (expected.length > 0) expect(take(reader)).toEqual(expected.shift());
        expect(take(reader)).toBeNull();
        expect(ringDropped(ring)).toBe(dropped);
      }),
    );
  });

  it('goes on when its counts of words pass 2^32', () => {
    const ring = createRing(BYTES);
    // As if four thousand million words less a few had gone through.
    new Int32Array(ring, 0, 32).fill(-8);
    const [writer, reader] = [new RingWriter(ring), new RingReader(ring)];
    for (let i = 0; i < 20; i++) {
      expect(put(writer, 5, i)).toBe(true);
      expect(put(writer, 5, -i)).toBe(true);
      expect(take(reader)).toEqual([i, i, i, i]);
      expect(take(reader)).toEqual([-i, -i, -i, -i].map((x) => x | 0));
    }
  });

  it('takes records until it is full, drops and counts the rest, and takes again what there is room for', () => {
    const ring = createRing(BYTES);
    const [writer, reader] = [new RingWriter(ring), new RingReader(ring)];
    for (let i = 0; i < WORDS / 8; i++) expect(put(writer, 8, i)).toBe(true);
    expect(put(writer, 1, 0)).toBe(false);
    expect(ringDropped(ring)).toBe(1);
    take(reader);
    expect(put(writer, 9, 0)).toBe(false);
    expect(put(writer, 8, 7)).toBe(true);
    expect(ringDropped(ring)).toBe(2);
  });

  it('shows nothing of a record that its writer died over', () => {
    const ring = createRing(BYTES);
    new RingWriter(ring).reserve(8);
    const reader = new RingReader(ring);
    expect(reader.peek()).toBe(-1);
    expect(put(new RingWriter(ring), 3, 5)).toBe(true);
    expect(take(reader)).toEqual([5, 5]);
  });
});
