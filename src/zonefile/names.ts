// Which names a zone has: owners, empty non-terminals, what wildcards cover, and where it is cut.
import { parentName } from '../wire/name.ts';
import { TYPE } from '../wire/types.ts';
import { nameKey, type WrittenOwner } from './records.ts';

/** An index of a zone's names. All names it takes are lower-case wire names at or below the apex. */
export class ZoneNames {
  readonly #apexLength: number;
  readonly #owners: ReadonlyMap<string, WrittenOwner>;
  /** Owners and every name between them and the apex (RFC 4592 2.2.2). */
  readonly #existing = new Set<string>();

  constructor(apex: Uint8Array, owners: ReadonlyMap<string, WrittenOwner>) {
    this.#apexLength = apex.length;
    this.#owners = owners;
    this.#existing.add(nameKey(apex));
    for (const { name } of owners.values()) {
      for (let at: Uint8Array | null = name; at !== null && at.length > apex.length; at = parentName(at)) {
        const key = nameKey(at);
        if (this.#existing.has(key)) break;
        this.#existing.add(key);
      }
    }
  }

  exists(name: Uint8Array): boolean {
    return this.#existing.has(nameKey(name));
  }

  /** The owner that answers for a name: its own, or the wildcard that covers it (RFC 4592 3.3.1). */
  find(name: Uint8Array): WrittenOwner | undefined {
    if (this.exists(name)) return this.#owners.get(nameKey(name));
    for (let at = parentName(name); at !== null && at.length >= this.#apexLength; at = parentName(at)) {
      if (this.exists(at)) return this.#owners.get(`\x01*${nameKey(at)}`);
    }
    return undefined;
  }

  /** The delegation at or above a name, the highest one; undefined: the zone is authoritative for it. */
  cut(name: Uint8Array): WrittenOwner | undefined {
    let found: WrittenOwner | undefined;
    for (let at: Uint8Array | null = name; at !== null && at.length > this.#apexLength; at = parentName(at)) {
      const owner = this.#owners.get(nameKey(at));
      if (owner?.types.has(TYPE.NS)) found = owner;
    }
    return found;
  }

  /** The owner of a name itself. */
  owner(name: Uint8Array): WrittenOwner | undefined {
    return this.#owners.get(nameKey(name));
  }

  /** Whether a query for the name would find something here: it exists, or a wildcard or a cut covers it. */
  covers(name: Uint8Array): boolean {
    return this.exists(name) || this.find(name) !== undefined || this.cut(name) !== undefined;
  }
}
