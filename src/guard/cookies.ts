// DNS cookies: whether a client has proved that it receives what is sent to its address (RFC 7873, RFC 9018).
//
// A server cookie is 16 octets: version 1, three reserved, a timestamp in seconds, and 64 bits of SipHash-2-4 under the
// server's secret over client cookie, those eight octets and the client's address (RFC 9018 4). Nothing is remembered of
// any client, and servers with the same secret (BIND, Knot, NSD, PowerDNS, Unbound) understand each other's cookies.
import { limits } from '../base/limits.ts';
import type { ClientAddress } from './client.ts';
import { SipHash24, sipKey } from './siphash.ts';

/** The request has no cookie; for callers, `check` never returns it. */
export const COOKIE_NONE = 0;
/** A client cookie alone: the client is new here. */
export const COOKIE_CLIENT_ONLY = 1;
/** The server cookie is ours, for this client, and fresh enough. */
export const COOKIE_VALID = 2;
/** A server cookie that isn't ours, is another client's, or is too old: counts as none (RFC 7873 5.2.4). */
export const COOKIE_BAD = 3;

const CLIENT_OCTETS = 8;
const SERVER_OCTETS = 16;
/** Octets of the whole option when the server cookie is one of RFC 9018. */
const COOKIE_OCTETS = CLIENT_OCTETS + SERVER_OCTETS;
const VERSION = 1;
/** RFC 9018 4.3: where the timestamp stands in the option, and the hash behind it. */
const TIME_AT = 12;
const HASH_AT = 16;

/** Makes and checks the cookies of one thread. */
export class Cookies {
  #keys: readonly Int32Array[] = [];
  readonly #sip = new SipHash24();
  /** What is hashed: client cookie, version, reserved, timestamp, and 4 or 16 octets of the client's address. */
  readonly #message = new Uint8Array(HASH_AT + 16);

  /** @param secrets at least one, 16 bytes each: the first signs, all verify */
  constructor(secrets: readonly Uint8Array[]) {
    this.replaceSecrets(secrets);
  }

  /** Takes other secrets from now on; between packets. Cookies under a secret that is no longer among them are bad. */
  replaceSecrets(secrets: readonly Uint8Array[]): void {
    this.#keys = secrets.map(sipKey);
  }

  /**
   * Judges a cookie option and writes the one to send back.
   * @param received the option's data, 8 or 16 to 40 octets
   * @param nowSeconds Unix time
   * @param reply gets 24 octets: the client cookie, then a server cookie that is fresh, or the client's while it is young
   * Returns COOKIE_CLIENT_ONLY, COOKIE_VALID or COOKIE_BAD.
   */
  check(received: Uint8Array, length: number, client: ClientAddress, nowSeconds: number, reply: Uint8Array): number {
    let verdict = length === CLIENT_OCTETS ? COOKIE_CLIENT_ONLY : COOKIE_BAD;
    const keys = this.#keys;
    if (length === COOKIE_OCTETS && received[CLIENT_OCTETS] === VERSION) {
      const time = wordAt(received, TIME_AT);
      // RFC 9018 4.3: serial number arithmetic (RFC 1982), which int32 subtraction is.
      const ageSeconds = ((nowSeconds | 0) - time) | 0;
      if (ageSeconds <= limits.cookieSeconds && ageSeconds >= -limits.cookieAheadSeconds) {
        for (let k = 0; k < keys.length; k++) {
          this.#sign(keys[k]!, received, client, time, wordAt(received, CLIENT_OCTETS));
          if (!this.#matches(received)) continue;
          verdict = COOKIE_VALID;
          // Under the first secret, with reserved bits as we write them, and young: it is good for longer.
          const current = k === 0 && received[9] === 0 && received[10] === 0 && received[11] === 0;
          if (current && ageSeconds <= limits.cookieRenewSeconds) {
            for (let i = 0; i < COOKIE_OCTETS; i++) reply[i] = received[i]!;
            return verdict;
          }
          break;
        }
      }
    }
    // Version 1 with the reserved octets zero, as a big-endian word.
    this.#sign(keys[0]!, received, client, nowSeconds | 0, VERSION << 24);
    const message = this.#message;
    for (let i = 0; i < HASH_AT; i++) reply[i] = message[i]!;
    putLittle(reply, HASH_AT, this.#sip.low);
    putLittle(reply, HASH_AT + 4, this.#sip.high);
    return verdict;
  }

  /** Hashes a cookie for a client: the result stands in `#sip`, what was hashed in `#message`. */
  #sign(key: Int32Array, received: Uint8Array, client: ClientAddress, time: number, versionAndReserved: number): void {
    const message = this.#message;
    for (let i = 0; i < CLIENT_OCTETS; i++) message[i] = received[i]!;
    putBig(message, CLIENT_OCTETS, versionAndReserved);
    putBig(message, TIME_AT, time);
    putBig(message, HASH_AT, client.w0);
    if (client.family === 4) {
      this.#sip.hash(key, message, HASH_AT + 4);
      return;
    }
    putBig(message, HASH_AT + 4, client.w1);
    putBig(message, HASH_AT + 8, client.w2);
    putBig(message, HASH_AT + 12, client.w3);
    this.#sip.hash(key, message, HASH_AT + 16);
  }

  /** Whether the hash just made is the received one; takes the same time wherever they differ (RFC 7873 7). */
  #matches(received: Uint8Array): boolean {
    const low = littleAt(received, HASH_AT) ^ this.#sip.low;
    const high = littleAt(received, HASH_AT + 4) ^ this.#sip.high;
    return (low | high) === 0;
  }
}

/** Four octets in network order as an int32. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

/** Four octets in little-endian order, as SipHash's result is written, as an int32. */
function littleAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function putBig(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

function putLittle(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
}
