// The names that stand behind the numbers in what data threads note: of zones, their pools and their regions.

/** A zone's names as they are served; survives structured clone. */
export interface ZoneNames {
  /** Its number in the directory. */
  readonly number: number;
  readonly name: string;
  /** Wire form. */
  readonly apex: Uint8Array;
  /** By number. */
  readonly pools: readonly string[];
  /** For each steering by number: the names of the lists' regions by slot. Regions with equal lists share one; empty: no region's. */
  readonly regions: readonly (readonly string[])[];
}

/** Zones that came to be served, or were changed. */
export interface NewNames {
  /** When they began to be served, wall clock: what was answered before means the names before. */
  readonly sinceMs: number;
  readonly zones: readonly ZoneNames[];
}

interface Known {
  readonly sinceMs: number;
  readonly names: ZoneNames;
  readonly before: ZoneNames | null;
}

export class NameTable {
  readonly #known: (Known | undefined)[] = [];

  add({ sinceMs, zones }: NewNames): void {
    for (const names of zones) {
      const before = this.#known[names.number]?.names ?? null;
      this.#known[names.number] = { sinceMs, names, before };
    }
  }

  /** The names of a zone as they were when it answered; null: unknown. */
  at(number: number, timeMs: number): ZoneNames | null {
    const known = this.#known[number];
    if (known === undefined) return null;
    return timeMs < known.sinceMs ? (known.before ?? known.names) : known.names;
  }
}
