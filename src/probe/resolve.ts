// The addresses behind a CNAME member's name, as the system resolves it.
import { lookup } from 'node:dns/promises';
import type { Clock } from '../base/clock.ts';

/** How long addresses stand in for a lookup that takes too long or fails for a while. */
const STALE_MS = 3_600_000;
/** Most addresses of a name that are tried. */
const MOST_ADDRESSES = 4;
/** Errors that say that the name is gone, not that the resolver has trouble. */
const GONE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

interface Known {
  addresses: readonly string[];
  atMs: number;
  pending: Promise<readonly string[]> | null;
}

export type Lookup = (name: string) => Promise<readonly string[]>;

/** Asks the system (hosts file, then DNS). The name has no final dot: the hosts file doesn't know names with one. */
const systemLookup: Lookup = async (name) => (await lookup(name, { all: true })).map((entry) => entry.address);

/** Resolves names; lookups of one name that overlap are one lookup. */
export class Resolver {
  readonly #clock: Clock;
  readonly #lookup: Lookup;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock, look: Lookup = systemLookup) {
    this.#clock = clock;
    this.#lookup = look;
  }

  /**
   * The first addresses of `name`, at least one. A lookup that needs longer than `patienceMs`, or whose resolver has trouble,
   * gives the addresses of the last hour. Rejects with the lookup's error when there are none.
   */
  async resolve(name: string, patienceMs: number): Promise<readonly string[]> {
    const known = this.#known.get(name) ?? { addresses: [], atMs: Number.NEGATIVE_INFINITY, pending: null };
    this.#known.set(name, known);
    known.pending ??= this.#ask(name, known);
    const stale = this.#clock.monotonicMs() - known.atMs < STALE_MS ? known.addresses : [];
    if (stale.length === 0) return known.pending;
    let cancel = (): void => {};
    const patience = new Promise<readonly string[]>((resolve) => {
      cancel = this.#clock.after(patienceMs, () => resolve(stale));
    });
    try {
      return await Promise.race([known.pending, patience]);
    } catch (error) {
      if (GONE.has((error as { code?: string }).code ?? '')) throw error;
      return stale;
    } finally {
      cancel();
    }
  }

  /** Forgets a name that no target has any more. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  async #ask(name: string, known: Known): Promise<readonly string[]> {
    try {
      const addresses = await this.#lookup(name);
      if (addresses.length === 0) throw Object.assign(new Error(`${name} has no address`), { code: 'ENODATA' });
      known.addresses = addresses.slice(0, MOST_ADDRESSES);
      known.atMs = this.#clock.monotonicMs();
      return known.addresses;
    } finally {
      known.pending = null;
    }
  }
}
