// Steered record sets: which clients get which pools, in what order, and for how long.
import type { Document, Entry, MapNode, Node, ScalarNode } from '../base/document.ts';
import { Fields, readMap, readTtl } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { type PlaceKey, placeKey } from '../geo/place.ts';
import { TYPE } from '../wire/types.ts';
import type { ChoiceList, OnMissingFamily, SteeredSet, Steering, Ttl, WhenAllDown } from '../zone/model.ts';
import { parsePlace } from './places.ts';
import { PoolListReader, type PoolNames } from './pool-list.ts';
import { readKilometres, type WrittenPool } from './pools.ts';
import type { Region, WrittenPlace } from './regions.ts';

/** What a steered record set may name. */
export interface Steerable extends PoolNames {
  readonly defaultTtlSeconds: number;
  /** The region of a name, this file's before `_common.yaml`'s; noted down as used. undefined: there is none. */
  region(name: string): Region | undefined;
  /** What was probably meant by a name that is no region, no continent. */
  nearestRegion(name: string): string | undefined;
}

/** A steered record set and where its parts stand. */
export interface WrittenSteering {
  /** For `ADDR` two sets, of A and of AAAA; else one. */
  readonly sets: readonly SteeredSet[];
  readonly document: Document;
  /** The owner's name as written, and the record set's type, for messages. */
  readonly owner: string;
  readonly typeText: string;
  /** Of the type. */
  readonly offset: number;
  readonly ttlOffset: number;
  readonly answersOffset: number;
  readonly whenAllDownOffset: number;
  readonly pools: ReadonlyMap<string, WrittenPool>;
  /** The regions, in the file's order, with the places of each and where its key stands. */
  readonly regions: readonly {
    readonly name: string;
    readonly places: readonly WrittenPlace[];
    readonly offset: number;
  }[];
  /** Where the first `closest` stands; null: there is none. */
  readonly closestOffset: number | null;
}

/** Exactly one of these makes a record set steered. */
export const POLICIES = ['regions', 'closest', 'pools', 'weighted'] as const;
type Policy = (typeof POLICIES)[number];
export const STEERED_KEYS = [...POLICIES, 'ttl', 'answers', 'when-all-down', 'on-missing-family', 'spread'] as const;

/** Types that a steered record set may be written as, with the types that it gives. */
export const STEERED_TYPES: Readonly<Record<string, readonly number[]>> = {
  A: [TYPE.A],
  AAAA: [TYPE.AAAA],
  ADDR: [TYPE.A, TYPE.AAAA],
  CNAME: [TYPE.CNAME],
};

function isPolicy(key: string): key is Policy {
  return (POLICIES as readonly string[]).includes(key);
}

/** Whether a record set's map says that it is steered. */
export function isSteered(map: MapNode): boolean {
  return POLICIES.some((policy) => map.entries.has(policy));
}

/** Reads a steered record set: `owner` as written, `type` the key that it stands under. */
export function readSteering(
  zone: Steerable,
  owner: string,
  type: ScalarNode,
  map: MapNode,
): WrittenSteering | undefined {
  return new SteeringReader(zone, owner, type, map).read();
}

class SteeringReader {
  readonly #zone: Steerable;
  readonly #document: Document;
  readonly #owner: string;
  readonly #type: ScalarNode;
  readonly #fields: Fields;
  readonly #regions: { name: string; places: readonly WrittenPlace[]; offset: number; list: ChoiceList }[] = [];
  readonly #lists: PoolListReader;
  #failed = false;

  constructor(zone: Steerable, owner: string, type: ScalarNode, map: MapNode) {
    this.#zone = zone;
    this.#document = zone.document;
    this.#owner = owner;
    this.#type = type;
    this.#fields = new Fields(zone.document, map, 'a steered record set', STEERED_KEYS);
    this.#lists = new PoolListReader(zone, type, this.#fields.read('spread', readKilometres) ?? 0);
  }

  read(): WrittenSteering | undefined {
    const fields = this.#fields;
    const document = this.#document;
    const given = [...fields.map.entries.keys()].filter((key) => isPolicy(key));
    if (given.length > 1) {
      const message = `${given.join(' and ')} cannot stand side by side`;
      const fix =
        'keep exactly one of regions, closest, pools and weighted; inside of regions the others may be nested';
      document.report('one-of', fields.entry(given[1]!)!.key, message, fix);
      this.#failed = true;
    }
    const steering = given.map((policy) => this.#readPolicy(policy, fields.node(policy)!))[0];
    const { pools, closestOffset } = this.#lists;
    this.#failed ||= this.#lists.failed;
    if (fields.has('spread') && closestOffset === null && !this.#failed) {
      const fix = 'remove it, or use closest';
      document.report(
        'without-effect',
        fields.entry('spread')!.key,
        'spread says how near ties of closest are; there is no closest',
        fix,
      );
    }
    const ttl = fields.has('ttl') ? fields.read('ttl', readSteeredTtl) : fixedTtl(this.#zone.defaultTtlSeconds);
    const isCname = this.#type.text === 'CNAME';
    const answers = fields.has('answers') ? fields.whole('answers', 1, isCname ? 1 : limits.recordsPerSet) : null;
    const whenAllDown: WhenAllDown | undefined = fields.has('when-all-down')
      ? fields.choice('when-all-down', ['serve', 'nodata', 'servfail'] as const)
      : 'serve';
    const onMissingFamily = this.#readOnMissingFamily();
    if (steering === undefined || this.#failed) return undefined;
    if (ttl === undefined || answers === undefined || whenAllDown === undefined) return undefined;
    if (onMissingFamily === undefined) return undefined;
    const types = STEERED_TYPES[this.#type.text] ?? [];
    return {
      sets: types.map((type) => ({ kind: 'steered', type, ttl, steering, answers, whenAllDown, onMissingFamily })),
      document,
      owner: this.#owner,
      typeText: this.#type.text,
      offset: this.#type.offset,
      ttlOffset: fields.node('ttl')?.offset ?? this.#type.offset,
      answersOffset: fields.node('answers')?.offset ?? this.#type.offset,
      whenAllDownOffset: fields.node('when-all-down')?.offset ?? this.#type.offset,
      pools,
      regions: this.#regions,
      closestOffset,
    };
  }

  #readOnMissingFamily(): OnMissingFamily | undefined {
    const fields = this.#fields;
    if (!fields.has('on-missing-family')) return 'nodata';
    if (this.#type.text === 'CNAME') {
      const message = 'on-missing-family is about addresses; members of a steered CNAME are names, of no family';
      this.#document.report('without-effect', fields.entry('on-missing-family')!.key, message, 'remove it');
    }
    return fields.choice('on-missing-family', ['nodata', 'next'] as const);
  }

  #readPolicy(policy: Policy, node: Node): Steering | undefined {
    switch (policy) {
      case 'regions':
        return this.#readRegions(node);
      case 'pools':
        return { regions: [], default: this.#lists.list(node) };
      case 'closest':
      case 'weighted':
        return { regions: [], default: this.#lists.one(policy, node) };
    }
  }

  #readRegions(node: Node): Steering | undefined {
    const map = readMap(
      this.#document,
      node,
      'regions',
      'a map of regions and their pools',
      '{ FR: paris, default: tokyo }',
    );
    if (map === undefined) return this.#fail();
    if (!map.entries.has('default')) {
      const message = 'regions needs a default: what clients get that match no region';
      this.#document.report(
        'no-default',
        this.#fields.entry('regions')!.key,
        message,
        'add default: POOL, or default: nodata',
      );
      this.#failed = true;
    }
    const seen = new Map<PlaceKey, string>();
    let placeCount = 0;
    let fallback: ChoiceList = [];
    for (const entry of map.entries.values()) {
      if (entry.key.text === 'default') {
        const { value } = entry;
        fallback = value.kind === 'scalar' && value.text === 'nodata' ? [] : this.#lists.list(value);
        continue;
      }
      const places = this.#placesOf(entry.key);
      const list = this.#lists.list(entry.value);
      for (const { key } of places ?? []) this.#noteplace(seen, key, entry);
      placeCount += places?.length ?? 0;
      if (places !== undefined) this.#regions.push({ name: entry.key.text, places, offset: entry.key.offset, list });
    }
    if (placeCount > limits.placesPerMap) {
      const message = `${placeCount} places in one record set; at most ${limits.placesPerMap} are read`;
      this.#document.report('too-many', node, message, 'join networks, or use countries');
      this.#failed = true;
    }
    const regions = this.#regions.map(({ name, places, list }) => ({
      name,
      places: places.map(({ place }) => place),
      list,
    }));
    return { regions, default: fallback };
  }

  #noteplace(seen: Map<PlaceKey, string>, key: PlaceKey, entry: Entry): void {
    const earlier = seen.get(key);
    if (earlier === undefined) {
      seen.set(key, entry.key.text);
      return;
    }
    const both = earlier === entry.key.text ? `twice in ${earlier}` : `in ${earlier} and in ${entry.key.text}`;
    const message = `the place ${key} stands ${both}: which of the two is meant?`;
    this.#document.report('duplicate-place', entry.key, message, 'take it out of one of them');
    this.#failed = true;
  }

  /** The places of a region's name, or of a place that stands for itself. */
  #placesOf(key: ScalarNode): readonly WrittenPlace[] | undefined {
    const region = this.#zone.region(key.text);
    if (region !== undefined) {
      this.#failed ||= region.broken;
      return region.places;
    }
    const result = parsePlace(key.text);
    if (result.ok) return [{ place: result.place, key: placeKey(result.place), offset: key.offset }];
    this.#failed = true;
    // Lower-case words are names of regions or continents; what looks like another kind of place is judged as one.
    if (/^[a-z][a-z0-9_-]*$/.test(key.text)) {
      const meant = this.#zone.nearestRegion(key.text);
      const fix =
        meant === undefined ? `define it under regions: ${key.text}: [PLACE, ...]` : `did you mean "${meant}"?`;
      const country = result.code === 'unknown-country' ? `; ${result.fix}` : '';
      this.#document.report('unknown-region', key, `there is no region "${key.text}"`, fix + country);
    } else this.#document.report(result.code, key, result.message, result.fix);
    return undefined;
  }

  #fail(): undefined {
    this.#failed = true;
    return undefined;
  }
}

function fixedTtl(seconds: number): Ttl {
  return { max: seconds, min: seconds, dynamic: false };
}

/** One TTL, or `{ max, min }`. */
function readSteeredTtl(document: Document, node: Node, what: string): Ttl | undefined {
  if (node.kind === 'map') {
    const fields = new Fields(document, node, 'ttl', ['max', 'min']);
    const max = fields.require('max', '300', readTtl);
    const min = fields.require('min', '20', readTtl);
    if (max === undefined || min === undefined) return undefined;
    if (min <= max) return { max, min, dynamic: true };
    document.report(
      'ttl-range',
      fields.node('min')!,
      `min (${min}) is above max (${max})`,
      `write { max: ${min}, min: ${max} }`,
    );
    return undefined;
  }
  const seconds = readTtl(document, node, what);
  return seconds === undefined ? undefined : fixedTtl(seconds);
}
