// A bitset over many ranges that finds the next and the previous set bit in a few steps, however sparse it is.
//
// Three levels follow each other: the bits; one bit for each of those words that isn't zero; and again one for each word of that.
// Bits count from the highest in a word, so that clz32 gives the first. Bit 0 is always set: where nothing precedes, a run begins.

/** Words of a bitset for `count` bits. */
export function bitsetWords(count: number): number {
  const bits = (count + 31) >>> 5;
  const summary = (bits + 31) >>> 5;
  return bits + summary + ((summary + 31) >>> 5);
}

/**
 * The bitset of where values change along a row of ranges: bit i is set where the value of range i differs from that of i - 1.
 * @param keys a key for each range
 * @param values the value of each key
 * @param apart ranges with a value of their own, in place of their key's
 */
export function changesBitset(keys: Int32Array, values: Int32Array, apart: ReadonlyMap<number, number>): Int32Array {
  const count = keys.length;
  const out = new Int32Array(bitsetWords(count));
  let last = values[keys[0]!]!;
  let word = 0x80000000;
  for (let i = 1; i < count; i++) {
    const value = values[keys[i]!]!;
    if ((i & 31) === 0) {
      out[(i >>> 5) - 1] = word;
      word = 0;
    }
    if (value !== last) word |= 0x80000000 >>> (i & 31);
    last = value;
  }
  out[(count - 1) >>> 5] = word;
  const valueAt = (i: number): number => apart.get(i) ?? values[keys[i]!]!;
  for (const range of apart.keys()) {
    for (const i of [range, range + 1]) {
      if (i === 0 || i >= count) continue;
      const bit = 0x80000000 >>> (i & 31);
      if (valueAt(i) === valueAt(i - 1)) out[i >>> 5]! &= ~bit;
      else out[i >>> 5]! |= bit;
    }
  }
  addSummaries(out, count);
  return out;
}

function addSummaries(out: Int32Array, count: number): void {
  let from = 0;
  let length = (count + 31) >>> 5;
  for (let level = 0; level < 2; level++) {
    const to = from + length;
    for (let i = 0; i < length; i++) if (out[from + i] !== 0) out[to + (i >>> 5)]! |= 0x80000000 >>> (i & 31);
    from = to;
    length = (length + 31) >>> 5;
  }
}

/** The last set bit at `bit` or before it, of the bitset at word `at`. */
export function previousBit(m: Int32Array, at: number, count: number, bit: number): number {
  let w = bit >>> 5;
  let x = m[at + w]! & (0x80000000 >> (bit & 31));
  if (x === 0) {
    const bits = (count + 31) >>> 5;
    const summary = at + bits;
    let s = w >>> 5;
    x = m[summary + s]! & ~(-1 >>> (w & 31));
    if (x === 0) {
      const top = summary + ((bits + 31) >>> 5);
      let t = s >>> 5;
      x = m[top + t]! & ~(-1 >>> (s & 31));
      while (x === 0) x = m[top + --t]!;
      s = (t << 5) + Math.clz32(x & -x);
      x = m[summary + s]!;
    }
    w = (s << 5) + Math.clz32(x & -x);
    x = m[at + w]!;
  }
  return (w << 5) + Math.clz32(x & -x);
}

/** The first set bit after `bit`, or `count` when there is none, of the bitset at word `at`. */
export function nextBit(m: Int32Array, at: number, count: number, bit: number): number {
  let w = bit >>> 5;
  let x = m[at + w]! & (0x7fffffff >>> (bit & 31));
  if (x === 0) {
    const bits = (count + 31) >>> 5;
    const summary = at + bits;
    let s = w >>> 5;
    x = m[summary + s]! & (0x7fffffff >>> (w & 31));
    if (x === 0) {
      const summaryWords = (bits + 31) >>> 5;
      const top = summary + summaryWords;
      const topWords = (summaryWords + 31) >>> 5;
      let t = s >>> 5;
      x = m[top + t]! & (0x7fffffff >>> (s & 31));
      while (x === 0) {
        if (++t === topWords) return count;
        x = m[top + t]!;
      }
      s = (t << 5) + Math.clz32(x);
      x = m[summary + s]!;
    }
    w = (s << 5) + Math.clz32(x);
    x = m[at + w]!;
  }
  return (w << 5) + Math.clz32(x);
}
