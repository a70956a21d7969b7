// Answers, explain, coverage, fail-open, emptied sets and transfers all hold to section 3 of the contract, written here once in plain words.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transferRecords } from '../../dist/answer/transfer-records.js';
import {
  FORCED_DOWN,
  FORCED_DRAIN,
  FORCED_NONE,
  FORCED_UP,
  VERDICT_DOWN,
  VERDICT_UNKNOWN,
  VERDICT_UP,
} from '../../dist/board/board.js';
import { coverage } from '../../dist/explain/coverage.js';
import { Explainer } from '../../dist/explain/explainer.js';
import { centreOf } from '../../dist/geo/centres.js';
import { greatCircleKm } from '../../dist/geo/distance.js';
import type { Serving } from '../../dist/loading/serving.js';
import { emptySets, failOpenSets } from '../../dist/targets/fail-open.js';
import type { Targets } from '../../dist/targets/targets.js';
import { ZoneView } from '../../dist/zone/find.js';
import { Plane, values } from '../support/plane.ts';

type Coordinates = readonly [number, number];
type Family = 4 | 6;

interface Member {
  readonly family: Family;
  readonly weight: number;
  readonly verdict: number;
  readonly forced: number;
}

interface Pool {
  readonly at: Coordinates;
  readonly bias: number;
  readonly minLive: number | string;
  readonly pick: 'weighted' | 'ordered' | 'sticky';
  readonly members: readonly Member[];
}

/** Pools by number. */
type Group =
  | { readonly kind: 'pool'; readonly pool: number }
  | { readonly kind: 'closest'; readonly pools: readonly number[] }
  | { readonly kind: 'weighted'; readonly shares: readonly { readonly pool: number; readonly weight: number }[] };
type List = readonly Group[];

interface Case {
  readonly pools: readonly Pool[];
  /** Places and their lists, in the order of the file. */
  readonly regions: readonly { readonly place: string; readonly list: List }[];
  /** null: nodata. */
  readonly fallback: List | null;
  readonly spreadKm: number;
  readonly when: 'serve' | 'nodata' | 'servfail';
  readonly missing: 'nodata' | 'next';
}

interface Client {
  readonly subnet: string;
  /** The places of PLACES that it is in, most specific first. */
  readonly places: readonly string[];
  readonly at: Coordinates | null;
}

const CLIENTS: readonly Client[] = [
  { subnet: '1.2.3.0/24', places: ['1.2.0.0/16', 'RU', 'europe'], at: [55.75, 37.62] },
  { subnet: '1.9.0.0/24', places: ['RU', 'europe'], at: [55.75, 37.62] },
  { subnet: '2.2.3.0/24', places: ['BR', 'south-america'], at: [-22.9, -43.2] },
  { subnet: '3.2.3.0/24', places: ['US', 'north-america'], at: [40.7, -74] },
  { subnet: '4.2.3.0/24', places: ['FR', 'europe'], at: [48.9, 2.4] },
  { subnet: '5.2.3.0/24', places: ['JP', 'asia'], at: [35.7, 139.7] },
  { subnet: '203.0.113.0/24', places: [], at: null },
];

// ---- Section 3 in plain words ------------------------------------------------------------------------------------------

interface State {
  readonly own: readonly number[];
  readonly up: boolean;
  readonly live: number;
  readonly available: number;
}

const isLive = ({ forced, verdict }: Member): boolean =>
  forced === FORCED_NONE ? verdict !== VERDICT_DOWN : forced === FORCED_UP;
const isAvailable = ({ forced }: Member): boolean => forced === FORCED_NONE || forced === FORCED_UP;

/** How a pool stands for a family. */
function stateOf({ members, minLive }: Pool, family: Family, missing: Case['missing']): State {
  const own = members.flatMap((member, i) => (member.family === family ? [i] : []));
  const speaks = members.filter((member) => (own.length > 0 ? member.family === family : missing === 'nodata'));
  const live = speaks.filter(isLive).length;
  const least = typeof minLive === 'number' ? minLive : Math.ceil((speaks.length * Number.parseInt(minLive, 10)) / 100);
  return { own, up: live > 0 && live >= least, live, available: speaks.filter(isAvailable).length };
}

/** The pools of a group in the client's order, in tiers: those of one tier share by weight. */
function tiersOf(group: Group, at: Coordinates | null, { pools, spreadKm }: Case): number[][] {
  if (group.kind === 'pool') return [[group.pool]];
  if (group.kind === 'weighted') {
    const some = group.shares.filter(({ weight }) => weight > 0).map(({ pool }) => pool);
    const none = group.shares.filter(({ weight }) => weight === 0).map(({ pool }) => pool);
    return [some, none].filter((tier) => tier.length > 0);
  }
  if (at === null) return group.pools.map((pool) => [pool]);
  const km = (pool: number): number => greatCircleKm(at, pools[pool]!.at) * pools[pool]!.bias;
  const left = group.pools.map((pool, i) => ({ pool, i })).sort((a, b) => km(a.pool) - km(b.pool) || a.i - b.i);
  const tiers: number[][] = [];
  while (left.length > 0) {
    const nearest = km(left[0]!.pool);
    const n = left.filter(({ pool }) => km(pool) - nearest <= spreadKm).length;
    const tier = left.splice(0, n).sort((a, b) => a.i - b.i);
    tiers.push(tier.map(({ pool }) => pool));
  }
  return tiers;
}

interface Expected {
  readonly outcome: 'members' | 'nodata' | 'servfail';
  /** Those that a draw may choose. */
  readonly pools: readonly number[];
  readonly failOpen: boolean;
  readonly nobody: boolean;
}

const NODATA: Expected = { outcome: 'nodata', pools: [], failOpen: false, nobody: false };

/** @param lists the client's way up; the first may be empty: `default: nodata` */
function expected(c: Case, lists: readonly List[], at: Coordinates | null, family: Family): Expected {
  if (lists[0]!.length === 0) return NODATA;
  const state = (pool: number): State => stateOf(c.pools[pool]!, family, c.missing);
  const tiers = lists.flatMap((list) => list.flatMap((group) => tiersOf(group, at, c)));
  const chosen = (pools: readonly number[], failOpen = false): Expected => {
    const outcome = pools.every((pool) => state(pool).own.length > 0) ? 'members' : 'nodata';
    return { outcome, pools, failOpen: failOpen && outcome === 'members', nobody: false };
  };
  for (const tier of tiers) {
    const up = tier.filter((pool) => state(pool).up);
    if (up.length > 0) return { ...chosen(up), pools: up };
  }
  const all = tiers.flat();
  const below = all.find((pool) => state(pool).live > 0);
  if (below !== undefined) return chosen([below]);
  const hasFamily = all.some((pool) => state(pool).own.length > 0);
  if (c.missing === 'next' && !hasFamily) return NODATA;
  const open = all.find((pool) => state(pool).available > 0);
  if (open !== undefined && c.when === 'serve') return chosen([open], true);
  return { ...NODATA, outcome: c.when === 'servfail' ? 'servfail' : 'nodata', nobody: open === undefined && hasFamily };
}

function wayOf({ regions, fallback }: Case, places: readonly string[]): List[] {
  const lists = places.flatMap((place) => regions.filter((region) => region.place === place).map(({ list }) => list));
  return fallback !== null || lists.length === 0 ? [...lists, fallback ?? []] : lists;
}

// ---- Random zones --------------------------------------------------------------------------------------------------------

const member: fc.Arbitrary<Member> = fc.record({
  family: fc.constantFrom<Family>(4, 4, 6),
  weight: fc.constantFrom(0, 1, 1, 5),
  verdict: fc.constantFrom(VERDICT_UNKNOWN, VERDICT_UP, VERDICT_DOWN, VERDICT_DOWN),
  forced: fc.constantFrom(FORCED_NONE, FORCED_NONE, FORCED_NONE, FORCED_UP, FORCED_DOWN, FORCED_DRAIN),
});
const pool: fc.Arbitrary<Pool> = fc.record({
  at: fc.constantFrom<Coordinates>([55, 37], [48, 2], [50, 8], [-22, -43], [40, -74], [35, 139]),
  bias: fc.constantFrom(0.5, 1, 1, 1),
  minLive: fc.constantFrom<number | string>(1, 1, 1, 2, '50%', '100%'),
  pick: fc.constantFrom('weighted', 'ordered', 'sticky'),
  members: fc.array(member, { minLength: 1, maxLength: 4 }),
});
const POOLS = 4;
/** Each pool once at most; the shares of a `weighted` in one order, since equal shares are one list. */
const list: fc.Arbitrary<List> = fc
  .tuple(
    fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 }),
    fc.array(fc.constantFrom('pool', 'pool', 'closest', 'weighted'), { minLength: 4, maxLength: 4 }),
    fc.array(fc.constantFrom(0, 1, 9), { minLength: POOLS, maxLength: POOLS }),
    fc.constantFrom(1, 2, 4),
  )
  .map(([order, kinds, weights, size]) => {
    const groups: Group[] = [];
    for (let at = 0; at < order.length; ) {
      const kind = kinds[groups.length]!;
      const pools = order.slice(at, at + (kind === 'pool' ? 1 : size));
      at += pools.length;
      if (kind === 'pool') groups.push({ kind, pool: pools[0]! });
      else if (kind === 'closest') groups.push({ kind, pools });
      else groups.push({ kind: 'weighted', shares: pools.sort().map((p) => ({ pool: p, weight: weights[p]! })) });
    }
    return groups;
  });
const cases: fc.Arbitrary<Case> = fc.record({
  pools: fc.array(pool, { minLength: POOLS, maxLength: POOLS }),
  regions: fc
    .uniqueArray(fc.constantFrom('1.2.0.0/16', 'RU', 'DE', 'europe', 'south-america', 'US', 'asia'), { maxLength: 5 })
    .chain((places) => fc.tuple(...places.map((place) => list.map((of) => ({ place, list: of }))))),
  fallback: fc.oneof({ arbitrary: list, weight: 4 }, { arbitrary: fc.constant(null), weight: 1 }),
  spreadKm: fc.constantFrom(0, 1000),
  when: fc.constantFrom('serve', 'serve', 'nodata', 'servfail'),
  missing: fc.constantFrom('nodata', 'next'),
});

const address = (p: number, i: number, family: Family): string =>
  family === 4 ? `192.0.2.${p * 10 + i + 1}` : `2001:db8::${p + 1}:${i + 1}`;
const longAddress = (p: number, i: number, family: Family): string =>
  family === 4 ? address(p, i, 4) : `2001:db8:0:0:0:0:${p + 1}:${i + 1}`;

function listText(of: List): string {
  const texts = of.map((group) => {
    if (group.kind === 'pool') return `p${group.pool}`;
    if (group.kind === 'closest') return `{ closest: [${group.pools.map((p) => `p${p}`).join(', ')}] }`;
    return `{ weighted: { ${group.shares.map(({ pool: p, weight }) => `p${p}: ${weight}`).join(', ')} } }`;
  });
  return `[${texts.join(', ')}]`;
}

function zoneText({ pools, regions, fallback, spreadKm, when, missing }: Case): string {
  const lines = pools.map(({ at, bias, minLive, pick, members }, p) => {
    const texts = members.map((m, i) => `{ address: "${address(p, i, m.family)}", weight: ${m.weight} }`);
    return `  p${p}: { at: [${at.join(', ')}], bias: ${bias}, min-live: ${minLive}, pick: ${pick}, members: [${texts.join(', ')}] }`;
  });
  const lists = [...regions.map(({ list: of }) => of), fallback ?? []];
  const spread = lists.some((of) => of.some(({ kind }) => kind === 'closest')) ? `spread: ${spreadKm}km, ` : '';
  const places = [...regions.map(({ place, list: of }) => `"${place}": ${listText(of)}`)];
  places.push(`default: ${fallback === null ? 'nodata' : listText(fallback)}`);
  const set = `${spread}when-all-down: ${when}, on-missing-family: ${missing}, regions: { ${places.join(', ')} }`;
  return `zone: x.test\nns: [ns.example.net.]\npools:\n${lines.join('\n')}\nrecords:\n  www: { ADDR: { ${set} } }\n`;
}

function planeOf(c: Case): Plane {
  const plane = new Plane([zoneText(c)]);
  c.pools.forEach(({ members }, p) => {
    members.forEach(({ family, verdict, forced }, i) => {
      plane.set(`x.test/p${p}/${address(p, i, family)}`, {
        verdict: verdict as typeof VERDICT_UP,
        forced: forced as typeof FORCED_UP,
      });
    });
  });
  return plane;
}

function explainerOf(plane: Plane): Explainer {
  const all = new Map(plane.zones.map((zone, number) => [zone.name, { ...zone, number, state: 'ok', serial: 7 }]));
  const { images, board, probe } = plane;
  const serving = { images, board, probe, zones: { all }, onChunk: () => {} };
  const targets = { slot: (id: string) => board.slotOf(id), view: () => undefined };
  return new Explainer(serving as unknown as Serving, targets as unknown as Targets);
}

const TYPES = [
  ['A', 4],
  ['AAAA', 6],
] as const;

/** Addresses that a pool gives, and how many of them. */
function membersOf(c: Case, p: number, family: Family, failOpen: boolean): { from: string[]; count: number } {
  const { members, pick } = c.pools[p]!;
  const may = members.flatMap((m, i) => (m.family === family && (failOpen ? isAvailable(m) : isLive(m)) ? [i] : []));
  const weighted = may.filter((i) => members[i]!.weight > 0);
  const from = (weighted.length > 0 ? weighted : may).map((i) => longAddress(p, i, family));
  return { from, count: pick === 'weighted' ? from.length : 1 };
}

const poolOf = (text: string): number =>
  text.includes(':') ? Number(text.split(':').at(-2)) - 1 : Math.floor((Number(text.split('.')[3]) - 1) / 10);

describe('one rule of steering', () => {
  it('is what answers, explain, coverage, fail-open, emptied sets and transfers hold to', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(cases, (c) => {
        const plane = planeOf(c);
        const explainer = explainerOf(plane);
        const [zone] = plane.zones;
        const failing: string[] = [];
        const emptied: string[] = [];
        for (const [type, family] of TYPES) {
          const all = CLIENTS.map((client) => expected(c, wayOf(c, client.places), client.at, family));
          if (all.some(({ failOpen }) => failOpen)) failing.push(`x.test www ${type}`);
          if (all.some(({ nobody }) => nobody)) emptied.push(`x.test www ${type}`);
          CLIENTS.forEach((client, i) => {
            const want = all[i]!;
            const before = plane.count('failOpen');
            const reply = plane.ask('www.x.test.', type, { subnet: client.subnet, tcp: true });
            const got = values(reply, type);
            const told = explainer.explain({ name: 'www.x.test', type, subnet: client.subnet });
            const chosen = told.pools.filter((p) => p.chosen).map(({ name }) => Number(name.slice(1)));
            expect(reply.rcode).toBe(want.outcome === 'servfail' ? 'SERVFAIL' : 'NOERROR');
            expect(told.answer.rcode).toBe(reply.rcode);
            if (want.outcome === 'members') {
              const { from, count } = membersOf(c, poolOf(got[0]!), family, want.failOpen);
              expect(want.pools).toContain(poolOf(got[0]!));
              expect(from).toEqual(expect.arrayContaining(got));
              expect(got.length).toBe(count);
              if (c.pools[poolOf(got[0]!)]!.pick === 'ordered') expect(got).toEqual([from[0]]);
            } else if (want.pools.some((p) => stateOf(c.pools[p]!, family, c.missing).own.length > 0)) {
              // A draw between pools, some of which have nobody of this family.
              for (const one of got) expect(want.pools).toContain(poolOf(one));
            } else expect(got).toEqual([]);
            expect(plane.count('failOpen') - before).toBe(want.failOpen ? 1 : 0);
            // Explain may have drawn another pool than the answer, but none that couldn't be.
            expect(chosen.length).toBe(want.pools.length === 0 ? 0 : 1);
            for (const p of chosen) expect(want.pools).toContain(p);
            // What is told ends with the list that decided; with nobody up anywhere it is all of them.
            const lists = wayOf(c, client.places).map((of) =>
              of.flatMap((group) => tiersOf(group, client.at, c).flat()),
            );
            const deciding = lists.findIndex((pools) => pools.some((p) => stateOf(c.pools[p]!, family, c.missing).up));
            const way = (deciding < 0 ? lists : lists.slice(0, deciding + 1)).flat();
            expect(told.pools.map(({ name }) => name)).toEqual([...new Set(way)].map((p) => `p${p}`));
            for (const { name, state } of told.pools) {
              const { own, up } = stateOf(c.pools[Number(name.slice(1))]!, family, c.missing);
              expect(state).toBe(own.length === 0 ? 'no members of this family' : up ? 'up' : 'down');
            }
          });
          const rows = new Map(
            [...coverage(explainer, 'www.x.test', type).rows].flatMap((row) =>
              row === null ? [] : [[row.place, row] as const],
            ),
          );
          for (const [place, places, at] of [
            ['BR', ['BR', 'south-america'], [-22.9, -43.2]],
            ['JP', ['JP', 'asia'], [35.7, 139.7]],
            // No database has an address there.
            ['DE', ['DE', 'europe'], centreOf('DE')],
            ['CA', ['CA', 'north-america'], centreOf('CA')],
            ['ZA', ['ZA', 'africa'], centreOf('ZA')],
          ] as const) {
            const want = expected(c, wayOf(c, places), at, family);
            const { pool: name, region } = rows.get(place)!;
            expect(region).toBe(places.find((p) => c.regions.some((r) => r.place === p)) ?? 'default');
            if (want.pools.length === 0) expect(name).toBe(null);
            else expect(want.pools.map((p) => `p${p}`)).toContain(name);
          }
          expect(transferred(plane, type)).toEqual(wantedInTransfer(c, family));
        }
        expect(failOpenSets(zone!, plane)).toEqual(failing);
        expect(emptySets(zone!, plane)).toEqual(emptied);
      }),
      { numRuns: 150 },
    );
  });
});

/** The addresses of the steered set in a transfer. */
function transferred(plane: Plane, type: 'A' | 'AAAA'): string[] {
  const words = plane.images.store.words(plane.zones[0]!.image!);
  const zone = new ZoneView();
  zone.attach(words, new Uint8Array(words.buffer, words.byteOffset, words.byteLength), 0);
  return [...transferRecords(zone)]
    .filter((record) => record.type === (type === 'A' ? 1 : 28))
    .map(({ data }) => {
      if (type === 'A') return `192.0.2.${data & 255}`;
      const tail = zone.bytes.subarray(zone.byteBase + data + 12, zone.byteBase + data + 16);
      return `2001:db8:0:0:0:0:${tail[1]}:${tail[3]}`;
    });
}

/** When everybody is up: the first pool of `default`, else of the first region, whoever the client is. */
function wantedInTransfer(c: Case, family: Family): string[] {
  const up = (one: Member): Member => ({ ...one, verdict: VERDICT_UP, forced: FORCED_NONE });
  const well: Case = { ...c, pools: c.pools.map((p) => ({ ...p, members: p.members.map(up) })) };
  const first = c.fallback ?? c.regions[0]?.list;
  if (first === undefined) return [];
  const { pools } = expected(well, [first], null, family);
  const [p] = pools;
  if (p === undefined || !well.pools[p]!.members.some((m) => m.family === family)) return [];
  return membersOf(
    { ...well, pools: well.pools.map((one) => ({ ...one, pick: 'weighted' as const })) },
    p,
    family,
    false,
  ).from;
}
