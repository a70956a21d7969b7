// Lint: what a zone file says that is allowed, but hardly meant. Every finding is a warning with a code of its own.
import { limits } from '../base/limits.ts';
import { TYPE } from '../wire/types.ts';
import type { Check, SteeredSet } from '../zone/model.ts';
import { lintPlaces } from './check-places.ts';
import { lintPool } from './check-pools.ts';
import { lintTexts } from './check-texts.ts';
import { detectionSeconds, longestTtlSeconds, slowestFailoverSeconds } from './failover.ts';
import type { LintedZone } from './linted-zone.ts';
import { familiesOf } from './pools.ts';
import type { WrittenSteering } from './steering.ts';

/** What resolvers accept over UDP without fragments (the DNS flag day of 2020), less header, question, OPT and client subnet. */
const ANSWER_BYTES = 1232 - 12 - 4 - 11 - 24;

/** Octets of a record with a compressed owner: 12 and the address. */
const RECORD_BYTES = { 4: 16, 6: 28 } as const;

/** Reports what is doubtful. */
export function lintZone(zone: LintedZone): void {
  // With errors in it nobody knows what the file uses.
  if (!zone.document.failed) lintUnused(zone);
  for (const pool of zone.pools.values()) lintPool(pool, zone.geoData);
  lintTexts(zone.document, zone.owners.values());
  lintPlaces(zone);
  const weightsSaid = new Set<string>();
  for (const steering of zone.steerings) {
    lintSteering(steering);
    lintWeights(steering, weightsSaid);
  }
  lintFamilies(zone);
  lintAliases(zone);
  if (zone.transferOffset !== null && zone.steerings.length > 0) {
    const message = 'secondaries get steered records as the first pool of default, and do not follow health';
    zone.document.report(
      'transfer-ignores-health',
      zone.transferOffset,
      message,
      'delegate only to servers of this program',
    );
  }
}

function lintUnused(zone: LintedZone): void {
  const { document } = zone;
  const fix = 'remove it, or use it';
  for (const [name, { offset }] of zone.regions) {
    if (!zone.usedRegions.has(name)) document.report('unused-region', offset, `nothing uses the region ${name}`, fix);
  }
  for (const [name, { offset }] of zone.pools) {
    if (!zone.usedPools.has(name)) document.report('unused-pool', offset, `nothing uses the pool ${name}`, fix);
  }
  for (const key of zone.checks.unused())
    document.report('unused-check', key, `nothing uses the check ${key.text}`, fix);
}

function lintSteering(steering: WrittenSteering): void {
  const { document, sets, pools } = steering;
  const what = `${steering.owner} ${steering.typeText}`;
  const first = sets[0];
  if (first === undefined) return;
  if (first.whenAllDown === 'nodata') {
    const message = `${what}: resolvers cache NODATA for everybody, also after the pools are back`;
    document.report(
      'nodata-when-all-down',
      steering.whenAllDownOffset,
      message,
      'write when-all-down: servfail, or serve',
    );
  }
  const used = [...pools.values()].map(({ pool }) => pool);
  const seconds = slowestFailoverSeconds(first, used);
  if (seconds !== null && seconds > limits.lintFailoverSeconds) {
    const over = Math.ceil(seconds - limits.lintFailoverSeconds);
    const message = `${what}: clients can be sent to a dead backend for up to ${Math.ceil(seconds)} seconds, ${over} more than a minute`;
    document.report(
      'slow-failover',
      steering.ttlOffset,
      message,
      failoverFix(
        first,
        used.map(({ check }) => check),
      ),
    );
  }
  for (const set of sets) {
    const message = tooLong(set, steering);
    if (message !== null) {
      const fix = 'write answers: with a smaller number';
      document.report('answer-too-long', steering.answersOffset, `${what}: ${message}`, fix);
    }
  }
}

function failoverFix(set: SteeredSet, checks: readonly (Check | null)[]): string {
  const slowest = Math.max(...checks.map((check) => (check === null ? 0 : detectionSeconds(check))));
  const room = Math.floor(limits.lintFailoverSeconds - slowest);
  const longest = Math.max(...checks.map((check) => (check === null ? 0 : longestTtlSeconds(set.ttl, check))));
  if (room >= 1 && room < longest) return `write ttl: ${room}, or check more often`;
  return 'check more often, with a shorter timeout or a lower fall';
}

/** A message when the largest answer of a set does not go into one UDP packet; null when it does. */
function tooLong(set: SteeredSet, { pools }: WrittenSteering): string | null {
  const family = set.type === TYPE.A ? 4 : set.type === TYPE.AAAA ? 6 : null;
  if (family === null) return null;
  const room = Math.floor(ANSWER_BYTES / RECORD_BYTES[family]);
  for (const { pool } of pools.values()) {
    const members = pool.members.filter((member) => member.family === family).length;
    const answers = Math.min(members, set.answers ?? (pool.pick === 'weighted' ? members : 1));
    if (answers > room) {
      return `the pool ${pool.name} would answer ${answers} IPv${family} addresses, but ${room} go into a UDP packet`;
    }
  }
  return null;
}

/** Weights choose members; where every member is answered anyway, there is nothing to choose. */
function lintWeights(
  { sets, pools, document, answersOffset, owner, typeText }: WrittenSteering,
  said: Set<string>,
): void {
  for (const set of sets) {
    const family = set.type === TYPE.A ? 4 : set.type === TYPE.AAAA ? 6 : 'name';
    for (const { pool } of pools.values()) {
      if (pool.pick !== 'weighted' || family === 'name' || said.has(pool.name)) continue;
      const weights = pool.members
        .filter((member) => member.family === family && member.weight > 0)
        .map(({ weight }) => weight);
      const differ = weights.some((weight) => weight !== weights[0]);
      if (!differ || (set.answers ?? weights.length) < weights.length) continue;
      said.add(pool.name);
      const message = `${owner} ${typeText} answers every member of the pool ${pool.name}, so their weights only change the order`;
      document.report('weights-without-effect', answersOffset, message, `write answers: 1 (below ${weights.length})`);
    }
  }
}

/** Families that a record set asks for and its pools don't have: said once for all that lack one, for each that is always empty. */
function lintFamilies({ steerings, document }: LintedZone): void {
  const lacking = new Set<string>();
  let firstOffset: number | null = null;
  for (const { sets, pools, typeText, offset, owner } of steerings) {
    for (const set of sets) {
      const family = set.type === TYPE.A ? 4 : set.type === TYPE.AAAA ? 6 : 'name';
      const empty = [...pools.values()].filter(({ pool, broken }) => !broken && !familiesOf(pool).has(family));
      if (empty.length === 0) continue;
      if (typeText !== 'ADDR' && empty.length === pools.size) {
        const message = `${owner} ${typeText} never has an answer: its pools have no IPv${family} members`;
        document.report('never-answers', offset, message, 'add members of that family, or remove the record set');
      } else if (set.onMissingFamily === 'nodata') {
        firstOffset ??= offset;
        for (const { pool } of empty) lacking.add(pool.name);
      }
    }
  }
  if (firstOffset === null) return;
  const names = [...lacking].sort().slice(0, 10).join(', ');
  const message = `pools with one address family only: ${names}; clients that ask for the other get NODATA, and some resolvers (pdns-recursor) give that to all their clients, of other regions too`;
  document.report(
    'one-family',
    firstOffset,
    message,
    'add members of the other family, or write on-missing-family: next',
  );
}

/** A CNAME that differs by client and leads out of the zone: what leads there is kept apart by resolvers only as far as the target is. */
function lintAliases({ steerings, document, zone }: LintedZone): void {
  for (const { sets, pools, offset, owner } of steerings) {
    const set = sets[0];
    if (set === undefined || set.type !== TYPE.CNAME || !dependsOnClient(set)) continue;
    const apex = zone === '.' ? '' : `.${zone}.`;
    const outside = [...pools.values()]
      .flatMap(({ pool }) => pool.members)
      .find(({ address }) => `.${address}`.toLowerCase().endsWith(apex) === false);
    if (outside === undefined) continue;
    const message = `${owner} CNAME differs by client and leads to ${outside.address} outside of the zone: a resolver that sends no client subnet to that name's servers (unbound) gives the first client's chain to everybody`;
    const fix = 'lead to names of this zone that have the addresses, or keep the TTL short';
    document.report('steered-cname-outside', offset, message, fix);
  }
}

function dependsOnClient({ steering }: SteeredSet): boolean {
  return steering.regions.length > 0 || steering.default.some(({ kind }) => kind === 'closest');
}
