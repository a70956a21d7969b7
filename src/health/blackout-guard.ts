// The blackout guard: when nearly everything falls at once, it is our own uplink that died.
import { limits } from '../base/limits.ts';

interface Fall {
  readonly address: string;
  readonly atMs: number;
  readonly intervalMs: number;
}

/**
 * Watches the falls (up to down) of all targets. A blackout is: at least 10 distinct addresses are probed, 90% of them fell within one
 * interval (each within its own target's, reckoned back from now), and no probe succeeded since the first of these.
 */
export class BlackoutGuard {
  readonly #falls = new Map<string, Fall>();
  /** How many of the falls each address has. */
  readonly #addresses = new Map<string, number>();

  /** A probe succeeded: the world can be reached, what fell before this fell for its own reasons. */
  succeeded(): void {
    if (this.#falls.size === 0) return;
    this.#falls.clear();
    this.#addresses.clear();
  }

  /**
   * A target fell at `nowMs` (monotonic); `addresses` is the number of distinct addresses that are probed.
   * Returns the ids of the targets that fell in a blackout, or undefined when it is none.
   */
  fell(
    id: string,
    address: string,
    intervalMs: number,
    nowMs: number,
    addresses: number,
  ): readonly string[] | undefined {
    this.#forget(id);
    this.#falls.set(id, { address, atMs: nowMs, intervalMs });
    this.#addresses.set(address, (this.#addresses.get(address) ?? 0) + 1);
    if (!this.#enough(addresses)) return undefined;
    for (const [old, fall] of this.#falls) if (nowMs - fall.atMs > fall.intervalMs) this.#forget(old);
    if (!this.#enough(addresses)) return undefined;
    const ids = [...this.#falls.keys()];
    this.succeeded();
    return ids;
  }

  #enough(addresses: number): boolean {
    return addresses >= limits.blackoutAddresses && this.#addresses.size >= limits.blackoutShare * addresses;
  }

  #forget(id: string): void {
    const fall = this.#falls.get(id);
    if (fall === undefined) return;
    this.#falls.delete(id);
    const left = this.#addresses.get(fall.address)! - 1;
    if (left > 0) this.#addresses.set(fall.address, left);
    else this.#addresses.delete(fall.address);
  }
}
