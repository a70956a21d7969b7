// How many connections each client network has open.
import type { Peer } from '../answer/port.ts';

/** Counts by network: the first `ipv4Bits` or `ipv6Bits` bits of an address are one client. */
export class ClientCounts {
  readonly #ipv4Bits: number;
  readonly #ipv6Bits: number;
  readonly #counts = new Map<string, number>();

  constructor(ipv4Bits: number, ipv6Bits: number) {
    this.#ipv4Bits = ipv4Bits;
    this.#ipv6Bits = ipv6Bits;
  }

  /** The name of a peer's network, to count by. */
  networkOf(peer: Readonly<Peer>): string {
    if (peer.family === 4) return `4 ${first(peer.w0, this.#ipv4Bits)}`;
    const bits = this.#ipv6Bits;
    return `6 ${first(peer.w0, bits)} ${first(peer.w1, bits - 32)} ${first(peer.w2, bits - 64)} ${first(peer.w3, bits - 96)}`;
  }

  of(network: string): number {
    return this.#counts.get(network) ?? 0;
  }

  add(network: string): void {
    this.#counts.set(network, this.of(network) + 1);
  }

  remove(network: string): void {
    const left = this.of(network) - 1;
    if (left > 0) this.#counts.set(network, left);
    else this.#counts.delete(network);
  }
}

/** The first `bits` bits of a word; a shift by 32 would be none, hence the two ends. */
function first(word: number, bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? word : word & (-1 << (32 - bits));
}
