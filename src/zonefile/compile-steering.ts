// Turns steered record sets and pools into the blocks of a zone image; equal ones are written once.

import { hashText } from '../base/hash.ts';
import { limits } from '../base/limits.ts';
import type { ClosestSpec, MapSpec, SlotSpec } from '../regionmap/spec.ts';
import { TYPE } from '../wire/types.ts';
import { choiceOf, poolsOf } from '../zone/choices.ts';
import {
  ELEMENT,
  FAMILY_4,
  FAMILY_6,
  FAMILY_NAME,
  LIST_REGION,
  LIST_STICKY,
  MEMBER_DATA,
  MEMBER_HASH,
  MEMBER_TARGET,
  MEMBER_WEIGHT,
  MEMBER_WORDS,
  PICK_ORDERED,
  PICK_STICKY,
  PICK_WEIGHTED,
  type PickCode,
  POOL,
  STEER,
  STEER_DYNAMIC_TTL,
  STEER_NEXT_FAMILY,
  WHEN_NODATA,
  WHEN_SERVE,
  WHEN_SERVFAIL,
} from '../zone/layout.ts';
import type { PoolMeta, SteeringMeta, TargetMeta } from '../zone/meta.ts';
import type { ChoiceList, Member, Pool, SteeredSet, ZoneModel } from '../zone/model.ts';
import { writeRecord } from './compile-records.ts';
import type { SegmentWriter } from './segment.ts';

const PICKS = { weighted: PICK_WEIGHTED, ordered: PICK_ORDERED, sticky: PICK_STICKY } as const satisfies Record<
  Pool['pick'],
  PickCode
>;
const WHENS = { serve: WHEN_SERVE, nodata: WHEN_NODATA, servfail: WHEN_SERVFAIL } as const;
const ON_MISSING = { nodata: 0, next: STEER_NEXT_FAMILY } as const;

/** Canonical text of a list of pools: lists with one text are one list (and so one slot). */
function listKey(list: ChoiceList): string {
  return list
    .map((choice) =>
      choiceOf(choice, {
        pool: ({ pool }) => pool,
        closest: ({ spreadKm, pools }) => `closest(${spreadKm}:${pools.join(',')})`,
        weighted: ({ shares }) => {
          const texts = shares.map(({ pool, weight }) => `${pool}=${weight}`);
          return `weighted(${texts.sort().join(',')})`;
        },
      }),
    )
    .join(';');
}

/** Live members that a pool of so many needs to be up. One without a live member is never up, whatever `min-live` says. */
function leastLive({ minLive }: Pool, members: number): number {
  return Math.max(1, minLive.kind === 'count' ? minLive.count : Math.ceil((members * minLive.percent) / 100));
}

/** Compiles the steering of one zone into `out`. */
export class SteeringCompiler {
  readonly targets: TargetMeta[] = [];
  readonly maps: MapSpec[] = [];
  readonly steerings: (SteeringMeta & { readonly owners: string[] })[] = [];
  readonly pools: (PoolMeta & { readonly blocks: number[] })[] = [];
  /** Word offsets of every member's target word. */
  readonly memberWords: number[] = [];
  readonly #out: SegmentWriter;
  readonly #model: ZoneModel;
  readonly #targetNumbers = new Map<string, number>();
  readonly #poolNumbers = new Map<string, number>();
  readonly #poolBlocks = new Map<string, number>();
  readonly #steerBlocks = new Map<string, number>();
  readonly #numbers = new Map<number, number>();
  readonly #mapNumbers = new Map<string, number>();

  constructor(out: SegmentWriter, model: ZoneModel) {
    this.#out = out;
    this.#model = model;
    // Every member is a target, named by a record set or not: it can be watched and forced.
    for (const pool of model.pools.values()) this.#poolNumber(pool);
  }

  /** Word of the steering block of a set. `owner` is told to people: relative to the zone. */
  steering(set: SteeredSet, owner: string): number {
    const lists: ChoiceList[] = [];
    const slots = new Map<string, number>();
    const slotOf = (list: ChoiceList): number => {
      const key = listKey(list);
      const known = slots.get(key);
      if (known !== undefined) return known;
      slots.set(key, lists.length);
      lists.push(list);
      return lists.length - 1;
    };
    const defaultSlot = slotOf(set.steering.default);
    const regions = set.steering.regions.map((r) => ({ name: r.name, places: r.places, slot: slotOf(r.list) }));
    const map = this.#map(regions, defaultSlot, lists);
    const key = JSON.stringify([
      set.type,
      map,
      defaultSlot,
      lists.map(listKey),
      regions.map((r) => [r.name, r.slot]),
      set.ttl,
      set.answers,
      set.whenAllDown,
      set.onMissingFamily,
    ]);
    const known = this.#steerBlocks.get(key);
    if (known !== undefined) {
      const { owners } = this.steerings[this.#numbers.get(known)!]!;
      if (owners.length < limits.steeringOwners) owners.push(owner);
      return known;
    }
    const at = this.#out.reserve(STEER.size + lists.length);
    this.#steerBlocks.set(key, at);
    this.#numbers.set(at, this.steerings.length);
    this.#out.set(at + STEER.type, set.type);
    const dynamic = set.ttl.dynamic ? STEER_DYNAMIC_TTL : 0;
    this.#out.set(at + STEER.flags, WHENS[set.whenAllDown] | dynamic | ON_MISSING[set.onMissingFamily]);
    this.#out.set(at + STEER.ttlMax, set.ttl.max);
    this.#out.set(at + STEER.ttlMin, set.ttl.min);
    this.#out.set(at + STEER.answers, set.answers ?? 0);
    this.#out.set(at + STEER.map, map);
    this.#out.set(at + STEER.defaultSlot, defaultSlot);
    this.#out.set(at + STEER.number, this.steerings.length);
    this.#out.set(at + STEER.slots, lists.length);
    lists.forEach((list, slot) => {
      this.#out.set(at + STEER.size + slot, this.#list(list, set.type));
    });
    this.steerings.push({
      owners: [owner],
      at,
      map,
      type: set.type,
      regions,
      defaultSlot,
      lists,
      whenAllDown: set.whenAllDown,
      onMissingFamily: set.onMissingFamily,
      answers: set.answers,
      ttlMax: set.ttl.max,
      ttlMin: set.ttl.min,
    });
    return at;
  }

  /** Number of the region map, -1 where every client has the default list whole. */
  #map(regions: MapSpec['regions'], defaultSlot: number, lists: readonly ChoiceList[]): number {
    const slots: SlotSpec[] = lists.map((list) => ({
      closest: list.flatMap((choice) =>
        choiceOf(choice, {
          pool: () => [],
          closest: ({ pools, spreadKm }) => [{ points: pools.map((name) => this.#point(name)), spreadKm }],
          weighted: () => [],
        }),
      ),
    }));
    if (regions.length === 0 && slots.every((slot) => slot.closest.length === 0)) return -1;
    const spec: MapSpec = {
      regions: regions.map((r) => ({ places: r.places, slot: r.slot })),
      defaultSlot,
      slots,
      defaultClimbs: lists[defaultSlot]!.length > 0,
    };
    const key = JSON.stringify(spec, (_, value: unknown) => (value instanceof Uint8Array ? [...value] : value));
    const known = this.#mapNumbers.get(key);
    if (known !== undefined) return known;
    this.#mapNumbers.set(key, this.maps.length);
    this.maps.push(spec);
    return this.maps.length - 1;
  }

  #point(name: string): ClosestSpec['points'][number] {
    const pool = this.#model.pools.get(name)!;
    if (pool.at === null) throw new Error(`pool ${name} of a closest has no coordinates`);
    return { at: pool.at, bias: pool.bias };
  }

  #list(list: ChoiceList, type: number): number {
    const sticky = poolsOf(list).some((name) => this.#model.pools.get(name)!.pick === 'sticky');
    const words: number[] = [list.length | (sticky ? LIST_STICKY : 0)];
    let group = 0;
    const pool = (name: string): number => this.#pool(name, type);
    for (const choice of list) {
      words.push(
        ...choiceOf(choice, {
          pool: (one) => [ELEMENT.pool, pool(one.pool)],
          closest: ({ pools }) => [ELEMENT.closest, group++, pools.length, ...pools.map(pool)],
          weighted: ({ shares }) => {
            // Whoever walks the list in order comes to those of weight 0 last.
            const last = [...shares].sort((a, b) => Number(a.weight === 0) - Number(b.weight === 0));
            return [ELEMENT.weighted, shares.length, ...last.flatMap((share) => [pool(share.pool), share.weight])];
          },
        }),
      );
    }
    this.#out.reserve(-LIST_REGION);
    return this.#out.push(...words);
  }

  /** Word of the block of a pool as a record type sees it. */
  #pool(name: string, type: number): number {
    if (type === TYPE.CNAME) return this.#poolBlock(name, FAMILY_NAME);
    const four = this.#poolBlock(name, FAMILY_4);
    const six = this.#poolBlock(name, FAMILY_6);
    this.#out.set(four + POOL.other, six);
    this.#out.set(six + POOL.other, four);
    return type === TYPE.AAAA ? six : four;
  }

  #poolBlock(name: string, family: number): number {
    const key = `${family} ${name}`;
    const known = this.#poolBlocks.get(key);
    if (known !== undefined) return known;
    const pool = this.#model.pools.get(name)!;
    const number = this.#poolNumber(pool);
    const wanted = family === FAMILY_NAME ? 'name' : family === FAMILY_4 ? 4 : 6;
    const members = pool.members.filter((member) => member.family === wanted);
    const data = members.map((member) => this.#memberData(member));
    const at = this.#out.reserve(POOL.members + members.length * MEMBER_WORDS);
    this.#poolBlocks.set(key, at);
    this.pools[number]!.blocks.push(at);
    this.#out.set(at + POOL.flags, PICKS[pool.pick] | (family << 2));
    this.#out.set(at + POOL.minLive, leastLive(pool, members.length));
    this.#out.set(at + POOL.count, members.length);
    this.#out.set(at + POOL.number, number);
    members.forEach((member, i) => {
      const word = at + POOL.members + i * MEMBER_WORDS;
      this.#out.set(word + MEMBER_TARGET, this.#target(pool, member));
      this.#out.set(word + MEMBER_WEIGHT, member.weight);
      this.#out.set(word + MEMBER_HASH, hashText(member.stickyName));
      this.#out.set(word + MEMBER_DATA, data[i]!);
      this.memberWords.push(word + MEMBER_TARGET);
    });
    return at;
  }

  #memberData(member: Member): number {
    const b = member.bytes;
    if (member.family === 4) return (b[0]! << 24) | (b[1]! << 16) | (b[2]! << 8) | b[3]!;
    if (member.family === 6) return this.#out.pushBytes(b) * 4;
    return writeRecord(this.#out, TYPE.CNAME, 0, { bytes: b, names: [0] }, this.#model.apex, () => 0).at;
  }

  #poolNumber(pool: Pool): number {
    const known = this.#poolNumbers.get(pool.name);
    if (known !== undefined) return known;
    const { members, check, ...rest } = pool;
    this.#poolNumbers.set(pool.name, this.pools.length);
    this.pools.push({
      ...rest,
      check: check?.name ?? null,
      members: members.map((member) => this.#target(pool, member)),
      blocks: [],
    });
    return this.pools.length - 1;
  }

  #target(pool: Pool, member: Member): number {
    const id = `${pool.zone}/${pool.name}/${member.address}`;
    const known = this.#targetNumbers.get(id);
    if (known !== undefined) return known;
    this.#targetNumbers.set(id, this.targets.length);
    this.targets.push({
      id,
      zone: pool.zone,
      pool: pool.name,
      address: member.address,
      family: member.family,
      check: pool.check,
      capacity: member.capacity,
      weight: member.weight,
    });
    return this.targets.length - 1;
  }
}
