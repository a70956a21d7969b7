// Lists of pools as a record set writes them: names, `closest` and `weighted`, alone or one after another.
import type { Document, MapNode, Node, ScalarNode } from '../base/document.ts';
import { Fields, readMap, readOneOrMore, readScalar, readWhole } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import type { Choice, ChoiceList, Pool } from '../zone/model.ts';
import type { WrittenPool } from './pools.ts';

/** Where the names of pools are looked up. */
export interface PoolNames {
  readonly document: Document;
  /** The pool of a name; noted down as used. undefined: there is none. */
  pool(name: string): WrittenPool | undefined;
  /** What was probably meant by a name that there is no pool of. */
  nearestPool(name: string): string | undefined;
}

/** Reads the lists of one record set. */
export class PoolListReader {
  /** The pools that they name. */
  readonly pools = new Map<string, WrittenPool>();
  /** Where the first `closest` stands; null: there is none. */
  closestOffset: number | null = null;
  /** Something was reported. */
  failed = false;
  readonly #zone: PoolNames;
  readonly #document: Document;
  readonly #type: ScalarNode;
  readonly #spreadKm: number;
  #poolCount = 0;

  /** @param type the key that the record set stands under */
  constructor(zone: PoolNames, type: ScalarNode, spreadKm: number) {
    this.#zone = zone;
    this.#document = zone.document;
    this.#type = type;
    this.#spreadKm = spreadKm;
  }

  /** A record set's own `closest` or `weighted`. */
  one(kind: 'closest' | 'weighted', node: Node): ChoiceList {
    const choice = kind === 'closest' ? this.#closest(node) : this.#weighted(node);
    return choice === undefined ? [] : [choice];
  }

  /** A pool's name, a list of choices, or one `closest` or `weighted`. */
  list(node: Node): ChoiceList {
    const elements = node.kind === 'map' ? [node] : readOneOrMore(this.#document, node, 'a list of pools');
    if (elements === undefined) {
      this.failed = true;
      return [];
    }
    if (elements.length === 0) {
      this.#document.report('no-values', node, 'this list of pools is empty', 'name a pool');
      this.failed = true;
    }
    const named = new Set<string>();
    return elements
      .map((element) => {
        if (element.kind === 'map') return this.#nested(element);
        const scalar = readScalar(this.#document, element, 'a pool', 'the name of a pool, closest or weighted');
        const pool = scalar === undefined ? undefined : this.#poolName(scalar, named);
        return pool === undefined ? this.#fail() : ({ kind: 'pool', pool } as const);
      })
      .filter((choice) => choice !== undefined);
  }

  #nested(map: MapNode): Choice | undefined {
    const fields = new Fields(this.#document, map, 'an element of a list of pools', ['closest', 'weighted']);
    const closest = fields.node('closest');
    const weighted = fields.node('weighted');
    if ((closest === undefined) === (weighted === undefined)) {
      const message = 'a list of pools holds names, { closest: [...] } and { weighted: {...} }';
      this.#document.report('one-of', map, message, 'write exactly one of closest and weighted');
      return this.#fail();
    }
    return closest === undefined ? this.#weighted(weighted!) : this.#closest(closest);
  }

  #closest(node: Node): Choice | undefined {
    this.closestOffset ??= node.offset;
    const elements = readOneOrMore(this.#document, node, 'closest');
    if (elements === undefined) return this.#fail();
    if (elements.length === 0) {
      this.#document.report('no-values', node, 'closest names no pool', 'name the pools to choose from');
      return this.#fail();
    }
    if (elements.length > limits.poolsPerClosest) {
      const message = `${elements.length} pools in one closest; at most ${limits.poolsPerClosest} are read`;
      this.#document.report('too-many', node, message, 'split it by regions');
      return this.#fail();
    }
    const named = new Set<string>();
    const pools: string[] = [];
    for (const element of elements) {
      const scalar = readScalar(this.#document, element, 'a pool', 'the name of a pool');
      const name = scalar === undefined ? undefined : this.#poolName(scalar, named);
      if (name === undefined) this.failed = true;
      else {
        pools.push(name);
        const written = this.pools.get(name)!;
        if (written.pool.at === null && !written.broken) {
          const fix = `add at: [latitude, longitude] to the pool ${name}`;
          this.#document.report('pool-without-at', element, `closest cannot place the pool ${name}: it has no at`, fix);
          this.failed = true;
        }
      }
    }
    return { kind: 'closest', pools, spreadKm: this.#spreadKm };
  }

  #weighted(node: Node): Choice | undefined {
    const map = readMap(
      this.#document,
      node,
      'weighted',
      'a map of pools and their weights',
      '{ paris: 95, tokyo: 5 }',
    );
    if (map === undefined) return this.#fail();
    if (map.entries.size === 0) {
      this.#document.report('no-values', node, 'weighted names no pool', 'name the pools and their weights');
      return this.#fail();
    }
    const shares: { pool: string; weight: number }[] = [];
    for (const { key, value } of map.entries.values()) {
      const pool = this.#poolName(key, new Set());
      const weight = readWhole(this.#document, value, `the weight of ${key.text}`, 0, limits.weight);
      if (pool === undefined || weight === undefined) this.failed = true;
      else shares.push({ pool, weight });
    }
    if (!this.failed && shares.every(({ weight }) => weight === 0)) {
      const message = 'every pool of this weighted has weight 0: they share alike';
      this.#document.report('weights-all-zero', node, message, 'give those a weight that are to serve');
    }
    return { kind: 'weighted', shares };
  }

  /** A pool that exists and has members of the right kind; undefined after a report. */
  #poolName(scalar: ScalarNode, named: Set<string>): string | undefined {
    const document = this.#document;
    const name = scalar.text;
    const written = this.#zone.pool(name);
    if (written === undefined) {
      const meant = this.#zone.nearestPool(name);
      const nodata = name === 'nodata' ? 'only default can be nodata; ' : '';
      const fix =
        meant === undefined ? `define it under pools: ${name}: { members: [...] }` : `did you mean "${meant}"?`;
      document.report('unknown-pool', scalar, `there is no pool "${name}"`, nodata + fix);
      return undefined;
    }
    if (named.has(name)) {
      document.report(
        'duplicate-pool',
        scalar,
        `the pool ${name} stands in this list already`,
        'remove one of the two',
      );
      return undefined;
    }
    named.add(name);
    this.pools.set(name, written);
    if (++this.#poolCount === limits.poolsPerSteering + 1) {
      const message = `this record set names more than ${limits.poolsPerSteering} pools`;
      document.report('too-many', this.#type, message, 'split it into several names');
      this.failed = true;
    }
    if (!written.broken && !this.#fits(written.pool)) {
      const [has, needs] = this.#type.text === 'CNAME' ? ['addresses', 'names'] : ['names', 'addresses'];
      const message = `the pool ${name} has ${has}, but ${this.#type.text} needs ${needs}`;
      document.report('wrong-pool', scalar, message, `use a pool whose members are ${needs}`);
      return undefined;
    }
    return name;
  }

  #fits(pool: Pool): boolean {
    const names = pool.members[0]?.family === 'name';
    return pool.members.length === 0 || names === (this.#type.text === 'CNAME');
  }

  #fail(): undefined {
    this.failed = true;
    return undefined;
  }
}
