// Thousands of random questions to Meridian and to a real NSD with the same zones: they must agree.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askMany, type QueryFields, type Reply, type ResourceRecord, TYPES } from '../support/dns.ts';
import { hasNsd, type RunningNsd, startNsd } from '../support/nsd.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { asMasterFile, type StaticZone, zoneFiles } from '../support/static-zone.ts';
import { CHILD, EXAMPLE, OTHER, ROOT } from './zones.ts';

const QUESTIONS = 6000;

/** Types that are asked: what the zones hold, what they don't, what nobody knows. ANY is ours to answer as we like. */
const ASKED = [
  'A',
  'A',
  'A',
  'AAAA',
  'NS',
  'CNAME',
  'SOA',
  'MX',
  'TXT',
  'SRV',
  'DS',
  'PTR',
  'CAA',
  'TYPE65280',
  'TYPE64000',
];

/** A small generator with a seed: a failure can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

/** Every owner of the zones with its final dot. */
function owners(zones: readonly StaticZone[]): string[] {
  const absolute = zones.flatMap((z) =>
    z.records.map(([owner]) => {
      if (owner === '@') return z.zone;
      return owner.endsWith('.') ? owner : `${owner}.${z.zone === '.' ? '' : z.zone}`;
    }),
  );
  return [...new Set([...absolute, ...zones.map((z) => z.zone)])];
}

/** Names around those of the zones: themselves, above, below, beside, with a `*`, in odd case. */
function questions(zones: readonly StaticZone[], count: number, seed: number): QueryFields[] {
  const below = generator(seed);
  const known = owners(zones);
  const labels = [
    ...new Set(known.flatMap((name) => name.split('.').filter((label) => label !== ''))),
    'nx',
    'a',
    '*',
    'x-y',
  ];
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  return Array.from({ length: count }, () => {
    let parts = pick(known)
      .split('.')
      .filter((label) => label !== '');
    const drop = below(4);
    if (drop < 3) parts = parts.slice(Math.min(drop, parts.length));
    for (let i = below(4); i > 0; i--) parts.unshift(pick(labels));
    let name = `${parts.join('.')}.`;
    if (below(4) === 0) name = [...name].map((c) => (below(2) === 0 ? c.toUpperCase() : c)).join('');
    if (name.length > 250) name = 'example.test.';
    return { name, type: pick(ASKED), edns: below(2) === 0 ? null : { udpSize: 1232 } };
  });
}

const text = (r: ResourceRecord): string => `${r.name.toLowerCase()} ${r.ttl} ${r.type} ${r.data.toLowerCase()}`;
const sorted = (records: readonly ResourceRecord[]): string[] => records.map(text).sort();

/** What both must agree on. Glue is compared in referrals alone: elsewhere additional records are a matter of taste. */
function summary(reply: Reply): object {
  const referral = !reply.aa && reply.authorities.some((r) => r.type === 'NS');
  return {
    rcode: reply.rcode,
    aa: reply.aa,
    tc: reply.tc,
    question: reply.questions,
    answers: sorted(reply.answers),
    authorities: sorted(reply.authorities),
    glue: referral ? sorted(reply.additionals) : [],
  };
}

async function compare(meridian: RunningServer, nsd: RunningNsd, asked: QueryFields[]): Promise<void> {
  const [ours, theirs] = await Promise.all([askMany(meridian, asked), askMany(nsd, asked)]);
  const differences = asked.flatMap((question, i) => {
    const a = JSON.stringify(summary(ours[i]!), null, 1);
    const b = JSON.stringify(summary(theirs[i]!), null, 1);
    return a === b ? [] : [`${question.name} ${question.type}\n  meridian ${a}\n  nsd ${b}`];
  });
  expect(differences.slice(0, 20).join('\n')).toBe('');
  // The questions reach every kind of answer, or the comparison says little.
  const kinds = new Set(ours.map((r) => `${r.rcode} ${r.aa} ${r.answers.length > 0} ${r.authorities[0]?.type}`));
  expect(kinds.size).toBeGreaterThanOrEqual(5);
}

/** A zone of few labels in every order: wildcards, cuts, aliases and empty non-terminals fall into each other's way. */
function generatedZone(zone: string, seed: number): StaticZone {
  const below = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const records: [string, string, string][] = [['host', 'A', '192.0.2.1']];
  const taken = new Set(['host']);
  for (let i = 0; i < 60; i++) {
    const labels = Array.from({ length: 1 + below(4) }, () => pick(['a', 'b', 'c', 'd']));
    const wildcard = below(3) === 0;
    const owner = [...(wildcard ? ['*'] : []), ...labels].join('.');
    if (taken.has(owner)) continue;
    const kind = below(10);
    if (kind < 2) {
      // Towards what stands here already, or a name that no owner has: so no chain leads back to itself.
      const target = wildcard ? 'host' : below(2) === 0 ? pick([...taken]) : `q.${pick([...taken])}`;
      if (target.includes('*')) continue;
      records.push([owner, 'CNAME', `${target}.${zone}`]);
    } else if (kind < 4 && !wildcard) {
      records.push([owner, 'NS', 'ns.elsewhere.invalid.']);
      if (below(2) === 0) records.push([owner, 'DS', `12345 13 2 ${'44'.repeat(32)}`]);
    } else {
      records.push([owner, 'A', `192.0.2.${i}`]);
      if (below(2) === 0) records.push([owner, 'TXT', `"${i}"`]);
    }
    taken.add(owner);
  }
  return { zone, ns: ['ns.elsewhere.invalid.'], minimum: 30 + seed, records };
}

describe.skipIf(!hasNsd)('Meridian and NSD agree', () => {
  let meridian: RunningServer;
  let nsd: RunningNsd;

  describe('on nested zones and chains across them', () => {
    // NSD follows a loop until it has written it several times over; we write each record once.
    const withoutLoops: StaticZone = {
      ...EXAMPLE,
      records: EXAMPLE.records.filter(([owner]) => !/loop|cself/.test(owner)),
    };
    const zones = [withoutLoops, CHILD, { ...OTHER, records: OTHER.records.filter(([owner]) => owner !== 'pingpong') }];
    beforeAll(async () => {
      meridian = await startServer({ files: zoneFiles(zones) });
      nsd = await startNsd(Object.fromEntries(zones.map((zone) => [zone.zone, asMasterFile(zone)])));
    });
    afterAll(async () => {
      await nsd?.stop();
      await meridian?.stop();
    });

    it('for every name and every type of the zones', async () => {
      const asked = owners(zones).flatMap((name) => Object.keys(TYPES).map((type) => ({ name, type, edns: {} })));
      const special = new Set(['ANY', 'AXFR', 'IXFR', 'OPT', 'TSIG', 'MAILA', 'RRSIG', 'NSEC', 'DNSKEY', 'DNAME']);
      await compare(
        meridian,
        nsd,
        asked.filter((q) => !special.has(q.type)),
      );
    });

    it('for thousands of random names', async () => {
      await compare(meridian, nsd, questions(zones, QUESTIONS, 20260101));
    });
  });

  describe('on generated zones, one inside the other', () => {
    // The parent has no data below its children's names: NSD keeps all zones in one tree and would mix them. One child is
    // delegated, the other isn't.
    const parent = generatedZone('z0.test.', 1);
    const records = parent.records.filter(([owner]) => !/(^|\.)(d|a\.b)$/.test(owner));
    const zones = [
      { ...parent, records: [...records, ['d', 'NS', 'ns.elsewhere.invalid.'] as const] },
      ...['d.z0.test.', 'a.b.z0.test.', 'z1.test.', 'z2.test.'].map((zone, k) => generatedZone(zone, k + 2)),
    ];
    beforeAll(async () => {
      meridian = await startServer({ files: zoneFiles(zones) });
      nsd = await startNsd(Object.fromEntries(zones.map((zone) => [zone.zone, asMasterFile(zone)])));
    });
    afterAll(async () => {
      await nsd?.stop();
      await meridian?.stop();
    });

    it('for thousands of random names', async () => {
      await compare(meridian, nsd, questions(zones, QUESTIONS, 99));
    });
  });

  describe('with the root zone served', () => {
    const zones = [ROOT, OTHER];
    beforeAll(async () => {
      meridian = await startServer({ files: zoneFiles(zones) });
      nsd = await startNsd(Object.fromEntries(zones.map((zone) => [zone.zone, asMasterFile(zone)])));
    });
    afterAll(async () => {
      await nsd?.stop();
      await meridian?.stop();
    });

    it('for thousands of random names', async () => {
      await compare(meridian, nsd, questions(zones, QUESTIONS / 3, 7));
    });
  });
});
