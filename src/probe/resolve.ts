// The addresses behind a CNAME member's name: one lookup for all who ask at once, and what was known when it takes too long.

import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { isGone, type Lookup, systemLookup } from './system-names.ts';

interface Known {
  addresses: readonly string[];
  atMs: number;
  pending: Promise<readonly string[]> | null;
  controller: AbortController;
}

/** Resolves names; lookups of one name that overlap are one lookup. */
export class Resolver {
  readonly #clock: Clock;
  readonly #lookup: Lookup;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock, look: Lookup = systemLookup({ clock })) {
    this.#clock = clock;
    this.#lookup = look;
  }

  /**
   * The first addresses of `name`, at least one. A lookup that needs longer than `patienceMs`, or whose resolver has trouble,
   * gives the addresses of the last hour. Rejects with the lookup's error when there are none.
   */
  async resolve(name: string, patienceMs: number): Promise<readonly string[]> {
    const known: Known = this.#known.get(name) ?? {
      addresses: [],
      atMs: Number.NEGATIVE_INFINITY,
      pending: null,
      controller: new AbortController(),
    };
    this.#known.set(name, known);
    known.pending ??= this.#ask(name, known);
    const stale = this.#clock.monotonicMs() - known.atMs < limits.probeStaleMs ? known.addresses : [];
    if (stale.length === 0) return known.pending;
    let cancel = (): void => {};
    const patience = new Promise<readonly string[]>((resolve) => {
      cancel = this.#clock.after(patienceMs, () => resolve(stale));
    });
    try {
      return await Promise.race([known.pending, patience]);
    } catch (error) {
      if (isGone(error)) throw error;
      return stale;
    } finally {
      cancel();
    }
  }

  /** Forgets a name that no target has any more. */
  forget(name: string): void {
    this.#known.get(name)?.controller.abort();
    this.#known.delete(name);
  }

  /** Ends all lookups: a server that doesn't answer must not hold up the end of the program. */
  stop(): void {
    for (const name of [...this.#known.keys()]) this.forget(name);
  }

  async #ask(name: string, known: Known): Promise<readonly string[]> {
    try {
      const addresses = await this.#lookup(name, known.controller.signal);
      if (addresses.length === 0) throw Object.assign(new Error(`${name} has no address`), { code: 'ENODATA' });
      known.addresses = addresses.slice(0, limits.probeAddresses);
      known.atMs = this.#clock.monotonicMs();
      return known.addresses;
    } finally {
      known.pending = null;
    }
  }
}
