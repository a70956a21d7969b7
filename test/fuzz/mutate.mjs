// Makes requests for the fuzzer: real queries with the odd thing in them, then bytes changed, cut, doubled and spliced.

/** A fast generator of 32-bit words with a seed (sfc32): a run can be repeated. */
export class Dice {
  #a;
  #b;
  #c;
  #n;

  /** @param {number} seed */
  constructor(seed) {
    this.#a = 0x9e3779b9;
    this.#b = 0x243f6a88;
    this.#c = seed | 0;
    this.#n = 1;
    for (let i = 0; i < 12; i++) this.word();
  }

  /** @returns {number} 0 to 2^32 - 1 */
  word() {
    const t = (((this.#a + this.#b) | 0) + this.#n) | 0;
    this.#n = (this.#n + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + t) | 0;
    return t >>> 0;
  }

  /** @param {number} count */
  below(count) {
    return Math.floor((this.word() / 4294967296) * count);
  }

  /**
   * @template T
   * @param {readonly T[]} list
   */
  pick(list) {
    return list[this.below(list.length)];
  }
}

/** `a.b\.c.` as wire bytes; `\ddd` and `\.` as in master files. */
export function wireName(text) {
  const bytes = [];
  let label = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && /\d/.test(text[i + 1])) {
      label.push(Number(text.slice(i + 1, i + 4)));
      i += 3;
    } else if (text[i] === '\\') label.push(text.charCodeAt(++i));
    else if (text[i] === '.') {
      if (label.length > 0) bytes.push(label.length, ...label);
      label = [];
    } else label.push(text.charCodeAt(i));
  }
  return Buffer.from([...bytes, 0]);
}

const TYPES = [
  ...[1, 1, 1, 1, 28, 28, 28, 5, 5, 2, 6, 15, 15, 16, 16, 33, 43, 65, 64, 255, 12, 257, 35, 13, 48, 52, 44, 29, 39],
  ...[65280, 65281, 251, 252, 252, 253, 254, 250, 249, 41, 0, 128, 65535, 46, 47],
];
const SIZES = [0, 1, 511, 512, 513, 600, 1231, 1232, 1232, 1232, 1233, 1400, 4095, 4096, 4097, 16384, 65535];
const EDGES = [0, 1, 2, 3, 4, 7, 8, 11, 12, 15, 16, 24, 32, 40, 41, 63, 64, 127, 128, 191, 192, 193, 253, 254, 255];
/** A transport hands over no more: one octet over what is read. */
const LONGEST_REQUEST = 4097;

/** Addresses that ask, as the words of a peer. */
export const PEERS = [
  { family: 4, w0: 0x7f000001, w1: 0, w2: 0, w3: 0 },
  { family: 4, w0: 0x01020304, w1: 0, w2: 0, w3: 0 },
  { family: 4, w0: 0x02020304, w1: 0, w2: 0, w3: 0 },
  { family: 4, w0: 0x03020304, w1: 0, w2: 0, w3: 0 },
  { family: 4, w0: 0xcb00714d | 0, w1: 0, w2: 0, w3: 0 },
  { family: 4, w0: -1, w1: 0, w2: 0, w3: 0 },
  { family: 6, w0: 0, w1: 0, w2: 0, w3: 1 },
  { family: 6, w0: 0x2a000000, w1: 5, w2: 6, w3: 7 },
  { family: 6, w0: 0x26000000, w1: 5, w2: 6, w3: 7 },
  { family: 6, w0: 0x20010db8, w1: 0x00020000, w2: 0, w3: 1 },
  { family: 6, w0: 0, w1: 0, w2: 0xffff, w3: 0x01020304 },
  { family: 6, w0: 0x0064ff9b, w1: 0, w2: 0, w3: 0x02020304 },
];

/** Makes one request after the other into `bytes`. */
export class Mutator {
  bytes = Buffer.alloc(3 * LONGEST_REQUEST);
  length = 0;
  /** Requests that showed something new: from them others are made. @type {Buffer[]} */
  pool = [];
  /** Server cookies that are good for somebody. @type {Buffer[]} */
  cookies = [];
  #dice;
  #names;
  #other = Buffer.alloc(LONGEST_REQUEST + 128);

  /**
   * @param {Dice} dice
   * @param {readonly string[]} names
   */
  constructor(dice, names) {
    this.#dice = dice;
    this.#names = names.map(wireName);
  }

  /** Keeps a copy of the request that was just made. */
  keep() {
    const copy = Buffer.from(this.bytes.subarray(0, this.length));
    if (this.pool.length < 4096) this.pool.push(copy);
    else this.pool[this.#dice.below(this.pool.length)] = copy;
  }

  /** Makes the next one; it stands in `bytes`, `length` octets long. */
  next() {
    const dice = this.#dice;
    if (this.pool.length > 0 && dice.below(4) === 0) {
      const base = dice.pick(this.pool);
      base.copy(this.bytes);
      this.length = base.length;
      this.#damage(1 + dice.below(4));
      return;
    }
    this.#build();
    if (dice.below(3) === 0) this.#damage(1 + dice.below(dice.below(4) === 0 ? 12 : 3));
  }

  #u16(value) {
    this.bytes[this.length++] = value >> 8;
    this.bytes[this.length++] = value;
  }

  #build() {
    const dice = this.#dice;
    this.length = 0;
    this.#u16(dice.below(65536));
    this.#u16(dice.below(8) === 0 ? dice.below(65536) & 0x7fff : dice.below(2) << 8);
    this.#u16(dice.below(50) === 0 ? dice.below(4) : 1);
    this.#u16(dice.below(200) === 0 ? 1 : 0);
    this.#u16(0);
    this.#u16(0);
    if (this.bytes[5] !== 0 || dice.below(4) === 0) {
      this.#name();
      this.#u16(dice.below(30) === 0 ? dice.below(65536) : dice.pick(TYPES));
      this.#u16(dice.below(12) === 0 ? dice.pick([0, 2, 3, 3, 3, 3, 254, 255, 65535]) : 1);
    }
    if (dice.below(30) === 0) {
      this.bytes[9] = 1;
      this.#record(6, dice.below(4) === 0);
    }
    let additionals = 0;
    if (dice.below(30) === 0) {
      this.#record(dice.pick([1, 6, 41, 250, 65280]), false);
      additionals++;
    }
    if (dice.below(10) < 7) {
      this.#opt();
      additionals++;
    }
    if (dice.below(40) === 0) {
      if (dice.below(2) === 0) this.#opt();
      else this.#record(dice.pick([1, 250, 24, 0]), false);
      additionals++;
    }
    this.bytes[11] = additionals;
    this.length = Math.min(this.length, LONGEST_REQUEST);
  }

  #name() {
    const dice = this.#dice;
    const base = dice.pick(this.#names);
    let from = 0;
    const kind = dice.below(16);
    const start = this.length;
    if (kind === 0) {
      // Its parent, or further up.
      for (let up = 1 + dice.below(3); up > 0 && base[from] !== 0; up--) from += base[from] + 1;
    } else if (kind <= 3) {
      // Labels of any octets before it, often as many as go.
      const most = 255 - base.length;
      const short = dice.below(2) === 0 ? 1 + dice.below(3) : 127;
      for (let left = most, i = 0; i < short && left > 1; i++) {
        const length = Math.min(left - 1, 1 + dice.below(dice.below(3) === 0 ? 63 : 4));
        this.bytes[this.length++] = length;
        for (let k = 0; k < length; k++)
          this.bytes[this.length++] = dice.below(3) === 0 ? dice.below(256) : 97 + dice.below(26);
        left -= length + 1;
      }
    } else if (kind === 4) {
      this.bytes[this.length++] = 1;
      this.bytes[this.length++] = 0x2a;
    }
    base.copy(this.bytes, this.length, from);
    this.length += base.length - from;
    if (dice.below(3) === 0) {
      for (let p = start; p < this.length; p++) {
        const c = this.bytes[p] | 32;
        if (c >= 97 && c <= 122 && this.bytes[p] > 63) this.bytes[p] = dice.below(2) === 0 ? c : c & ~32;
      }
    }
  }

  /** A record with data of chance, or a well-made SOA. */
  #record(type, broken) {
    const dice = this.#dice;
    const owner = dice.below(3);
    if (owner === 0) this.#u16(0xc00c);
    else if (owner === 1) this.bytes[this.length++] = 0;
    else this.#name();
    this.#u16(type);
    this.#u16(type === 250 ? 255 : 1);
    this.#u16(0);
    this.#u16(dice.below(65536));
    const at = this.length;
    this.#u16(0);
    if (type === 6 && !broken) {
      for (let names = 0; names < 2; names++) {
        if (dice.below(2) === 0) this.#u16(0xc00c);
        else this.bytes[this.length++] = 0;
      }
      this.#random(20);
      if (dice.below(2) === 0) this.bytes.writeUInt32BE(dice.pick([0, 1, 6, 7, 8, 4294967295]), this.length - 20);
    } else if (type === 250 && !broken) {
      wireName('hmac-sha256.').copy(this.bytes, this.length);
      this.length += 13;
      this.#random(8);
      const mac = dice.pick([0, 16, 32]);
      this.#u16(mac);
      this.#random(mac);
      this.#random(4);
      this.#u16(dice.below(4) === 0 ? dice.below(20) : 0);
    } else this.#random(dice.below(2) === 0 ? dice.pick([0, 1, 4, 16, 22]) : dice.below(64));
    this.bytes.writeUInt16BE(this.length - at - 2, at);
  }

  #random(octets) {
    for (let i = 0; i < octets; i++) this.bytes[this.length++] = this.#dice.word() >>> 24;
  }

  #opt() {
    const dice = this.#dice;
    if (dice.below(100) === 0) this.#name();
    else this.bytes[this.length++] = 0;
    this.#u16(41);
    this.#u16(dice.below(8) === 0 ? dice.below(65536) : dice.pick(SIZES));
    this.bytes[this.length++] = dice.below(20) === 0 ? dice.below(256) : 0;
    this.bytes[this.length++] = dice.below(30) === 0 ? dice.below(256) : 0;
    this.#u16(dice.below(4) === 0 ? dice.pick([0x8000, 0x8000, 0x4000, 0xffff, 0x7fff]) : 0);
    const at = this.length;
    this.#u16(0);
    const options = dice.below(3) === 0 ? 0 : 1 + dice.below(dice.below(6) === 0 ? 6 : 2);
    for (let i = 0; i < options; i++) this.#option();
    if (dice.below(100) === 0 && this.length < 1000) this.#unknown(dice.pick([3000, 3900, 4080 - this.length]));
    this.bytes.writeUInt16BE(this.length - at - 2, at);
  }

  #unknown(octets) {
    this.#u16(65001);
    this.#u16(octets);
    this.#random(octets);
  }

  #option() {
    const dice = this.#dice;
    switch (dice.below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return this.#subnet();
      case 4:
      case 5: {
        this.#u16(10);
        if (this.cookies.length > 0 && dice.below(2) === 0) {
          const cookie = dice.pick(this.cookies);
          this.#u16(cookie.length);
          cookie.copy(this.bytes, this.length);
          this.length += cookie.length;
          return;
        }
        const octets = dice.below(5) === 0 ? dice.below(48) : dice.pick([8, 8, 24, 16, 40]);
        this.#u16(octets);
        return this.#random(octets);
      }
      case 6:
        this.#u16(3);
        this.#u16(0);
        return;
      case 7: {
        this.#u16(12);
        const octets = dice.below(64);
        this.#u16(octets);
        return this.#random(octets);
      }
      case 8: {
        this.#u16(11);
        const octets = dice.below(6) === 0 ? 2 : 0;
        this.#u16(octets);
        return this.#random(octets);
      }
      default: {
        this.#u16(dice.below(2) === 0 ? dice.below(20) : dice.below(65536));
        const octets = dice.below(24);
        this.#u16(octets);
        return this.#random(octets);
      }
    }
  }

  #subnet() {
    const dice = this.#dice;
    const four = dice.below(5) < 3;
    const wrong = dice.below(8) === 0;
    const source = wrong
      ? dice.below(140)
      : dice.pick(
          four ? [0, 1, 8, 9, 15, 16, 20, 24, 24, 25, 31, 32] : [0, 1, 16, 32, 40, 48, 55, 56, 56, 64, 96, 127, 128],
        );
    const octets = wrong && dice.below(2) === 0 ? dice.below(20) : (source + 7) >> 3;
    this.#u16(8);
    this.#u16(4 + octets);
    this.#u16(wrong && dice.below(3) === 0 ? dice.below(4) : four ? 1 : 2);
    this.bytes[this.length++] = source;
    this.bytes[this.length++] = wrong && dice.below(3) === 0 ? dice.below(256) : 0;
    const start = this.length;
    this.#random(octets);
    // Towards what the region maps know.
    if (octets > 0 && dice.below(3) !== 0)
      this.bytes[start] = dice.pick(four ? [1, 2, 3, 4, 198, 203] : [0x20, 0x26, 0x2a, 0]);
    if (octets > 2 && dice.below(4) === 0) {
      Buffer.from(four ? [203, 0, 113, 77] : [0x20, 0x01, 0x0d, 0xb8]).copy(this.bytes, start, 0, Math.min(4, octets));
    }
    if (!wrong && (source & 7) !== 0) this.bytes[this.length - 1] &= 0xff << (8 - (source & 7));
  }

  /** Damages the request's bytes in a few places. */
  #damage(times) {
    const dice = this.#dice;
    const bytes = this.bytes;
    for (; times > 0; times--) {
      const length = this.length;
      const p = length === 0 ? 0 : dice.below(length);
      switch (dice.below(12)) {
        case 0:
          if (length > 0) bytes[p] ^= 1 << dice.below(8);
          break;
        case 1:
          if (length > 0) bytes[p] = dice.below(256);
          break;
        case 2:
          if (length > 0) bytes[p] = dice.pick(EDGES);
          break;
        case 3:
          this.length = p;
          break;
        case 4: {
          // Cut out.
          const octets = Math.min(length - p, 1 + dice.below(16));
          bytes.copyWithin(p, p + octets, length);
          this.length -= octets;
          break;
        }
        case 5: {
          const octets = 1 + dice.below(8);
          this.#open(p, octets);
          for (let i = 0; i < octets && p + i < this.length; i++) bytes[p + i] = dice.word() >>> 24;
          break;
        }
        case 6: {
          // Doubled.
          const octets = Math.min(length - p, 1 + dice.below(60));
          this.#open(p, octets);
          bytes.copyWithin(p, p + octets, Math.min(p + 2 * octets, this.length));
          break;
        }
        case 7:
          if (length > 1)
            bytes.writeUInt16BE(dice.pick([0, 1, 2, 12, 41, 255, 0xc00c, 0xc000, 0xffff]), Math.min(p, length - 2));
          break;
        case 8:
          // A count of the header.
          if (length >= 12) bytes[5 + 2 * dice.below(4)] = dice.pick([0, 1, 1, 2, 255]);
          break;
        case 9: {
          // The tail of another.
          if (this.pool.length === 0) break;
          const other = dice.pick(this.pool);
          const from = dice.below(other.length + 1);
          const octets = Math.min(other.length - from, LONGEST_REQUEST - p);
          other.copy(bytes, p, from, from + octets);
          this.length = p + octets;
          break;
        }
        case 10:
          // A flag or the opcode.
          if (length >= 4) bytes[2 + dice.below(2)] ^= 1 << dice.below(8);
          break;
        default:
          // Another type or class where the question of most ends.
          if (length > 24) bytes[p] = dice.pick([1, 5, 28, 41, 43, 251, 252, 255]);
      }
    }
  }

  /** Makes room for `octets` at `p`. */
  #open(p, octets) {
    const length = Math.min(this.length + octets, LONGEST_REQUEST);
    if (p + octets < length) {
      this.bytes.copy(this.#other, 0, p, length - octets);
      this.#other.copy(this.bytes, p + octets, 0, length - octets - p);
    }
    this.length = length;
  }
}
