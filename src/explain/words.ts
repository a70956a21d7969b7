// Words for what the answer path did: the reasons and the story that explain tells.

import type { Explanation } from '../api/views.ts';
import type { ServedZone } from '../loading/zones.ts';
import { MODE_BELOW_MIN_LIVE, MODE_FAIL_OPEN, MODE_NOBODY, MODE_UP } from '../steer/outcome.ts';
import { TYPE } from '../wire/types.ts';
import type { SteeringMeta } from '../zone/meta.ts';
import type { HeardPool, HeardSteering } from './listener.ts';
import type { ReadResponse } from './packets.ts';
import { choiceText } from './place-text.ts';

/** One name of the chain, and what was decided there. */
export interface LinkStory {
  readonly name: string;
  /** undefined: no zone of this server has the name. */
  readonly zone: ServedZone | undefined;
  readonly target: string | null;
  /** null: static, or the name has nothing. */
  readonly steered: {
    readonly heard: HeardSteering;
    readonly steering: SteeringMeta;
    readonly region: Explanation['region'];
    readonly pools: Explanation['pools'];
  } | null;
}

/** A pool as it stands among the others; `before`: it comes no later than the chosen one, or is in the same draw. */
export interface PoolStory extends HeardPool {
  readonly chosen: boolean;
  readonly before: boolean;
}

/** Why a pool was chosen, or not. */
export function poolWhy(pool: PoolStory, heard: HeardSteering, { onMissingFamily }: SteeringMeta): string {
  const { chosen, before, up, live, members } = pool;
  if (members === 0) {
    // Its other family speaks for it, unless the record set passes it over.
    const none = 'no members of this family';
    if (!before) return `${none}; not needed, a pool before it was chosen`;
    if (onMissingFamily === 'next') return `passed over: ${none} (on-missing-family: next)`;
    if (!chosen) return up ? `${none}; the draw chose another` : `passed over: ${none}, and its other family is down`;
    const other = heard.mode === MODE_UP ? 'its other family is up' : 'its other family is what is left';
    return `chosen: ${other}; with ${none} the answer is NODATA, and nobody is sent elsewhere`;
  }
  const state = up ? 'up' : 'down';
  const count = `, ${live} of ${members} live`;
  if (!before) return `${state}${count}; not needed, a pool before it was chosen`;
  // A pool that is up and stands before the chosen one lost a draw.
  if (!chosen) return up ? `up${count}, but the draw chose another` : `passed over: ${state}${count}`;
  if (heard.mode === MODE_FAIL_OPEN) return `chosen to fail open${count}: nothing is live anywhere on the way up`;
  if (heard.mode === MODE_BELOW_MIN_LIVE) return `chosen below its min-live${count}: no pool on the way up is up`;
  if (heard.climbed) return `chosen after climbing${count}: no pool of the region itself is up`;
  return `chosen: the first of its list that is up${count}`;
}

/** Where the answer's TTL comes from. */
export function ttlReason(steering: SteeringMeta | null, heard: HeardSteering | null, response: ReadResponse): string {
  if (response.answers.length === 0) {
    const soa = response.authorities.find((record) => record.type === TYPE.SOA);
    return soa === undefined ? 'nothing in it to be cached' : `resolvers cache that there is nothing for ${soa.ttl} s`;
  }
  if (steering === null || heard === null) return 'the record set is static';
  if (steering.ttlMax === steering.ttlMin) return 'fixed in the zone file';
  if (heard.ttlSeconds === steering.ttlMax) return `max ${steering.ttlMax}: no verdict can flip sooner`;
  if (heard.ttlSeconds === steering.ttlMin) return `min ${steering.ttlMin}: a verdict could flip within it`;
  return `a verdict could flip in ${heard.ttlSeconds} s at the earliest`;
}

/** What the kinds of places are called, by the first letters of their text. */
function kindOf(match: string): string {
  if (match === 'default') return 'the default';
  if (match.startsWith('city:')) return 'city';
  if (match.includes('/')) return 'network';
  if (/^AS[0-9]/.test(match)) return 'AS';
  if (/^[A-Z]{2}-/.test(match)) return 'subdivision';
  return /^[A-Z]{2}$/.test(match) ? 'country' : 'continent';
}

/** Which regions match and why the first wins. */
function regionText(region: NonNullable<Explanation['region']>): string {
  const others = region.candidates.slice(1).map(({ name, match }) => (name === match ? name : `${name} (${match})`));
  if (region.name === 'default') return 'no region matches: the default decides';
  const why = `its ${kindOf(region.match)} is the most specific place that matches`;
  return `region ${region.name} wins by ${region.match}: ${why}; then ${others.join(', ')}`;
}

/** What was decided at one name. */
function linkSteps(link: LinkStory, end: string): string[] {
  const { zone, steered, name, target } = link;
  if (zone === undefined) return [`${name} is in no zone of this server: ${end}`];
  if (zone.state === 'error') return [`zone ${zone.name} has no good version: ${end}`];
  const steps = [`${name} is in zone ${zone.name}, serial ${zone.serial ?? 'none'}, which is ${zone.state}`];
  if (steered === null) steps.push(target === null ? end : `its CNAME is static: it leads every client to ${target}`);
  else {
    const { region, pools, steering } = steered;
    if (region !== null && steering.regions.length > 0) steps.push(regionText(region));
    const list = region?.candidates[0]?.list ?? choiceText(steering.lists[steering.defaultSlot]![0]!);
    steps.push(`its list: ${list}`);
    for (const pool of pools) {
      const far = pool.distanceKm === null ? '' : ` (${pool.distanceKm} km away)`;
      steps.push(`pool ${pool.name}${far}: ${pool.why}`);
    }
    if (steered.heard.mode === MODE_NOBODY)
      steps.push('every member on the way up is forced down or drained: none may be answered');
    if (target !== null) steps.push(`its CNAME is steered: it leads this client to ${target}`);
  }
  return steps;
}

/** What an answer without a steered set at its end is. */
function endText(response: ReadResponse, rcode: string): string {
  if (rcode === 'NXDOMAIN') return 'the name does not exist, for any client';
  if (rcode !== 'NOERROR') return rcode;
  if (response.answers.some((record) => record.type !== TYPE.CNAME))
    return 'the record set is static: every client gets it';
  if (response.authorities.some((record) => record.type === TYPE.NS))
    return 'the name is delegated: others answer for it';
  return response.authorities.length > 0 ? 'the name has no records of this type' : 'the resolver goes on from there';
}

/** Countries that are told by name: a /8 has those of half the world. */
const COUNTRIES_TOLD = 5;

function someOf(countries: readonly string[]): string {
  const more = countries.length - COUNTRIES_TOLD;
  return countries.slice(0, COUNTRIES_TOLD).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function subnetBits(prefix: string): number {
  return Number(prefix.slice(prefix.indexOf('/') + 1));
}

/** The story in order, a sentence each. */
export function storyOf(e: Omit<Explanation, 'steps'>, links: readonly LinkStory[], response: ReadResponse): string[] {
  const { place, answer } = e;
  const from = e.client.source === 'ecs' ? 'the client subnet' : "the resolver's address";
  const { unplacedSubnet } = e.client;
  const steps =
    unplacedSubnet === null
      ? [`${e.question.name} ${e.question.type} is asked for ${e.client.prefix}, which is ${from}`]
      : [
          `${e.question.name} ${e.question.type} is asked for the client subnet ${unplacedSubnet.prefix}`,
          `the subnet ${unplacedSubnet.prefix} is ${unplacedSubnet.what}: placed by the resolver ${e.client.address}`,
        ];
  const where = [place.city, place.subdivision, place.country, place.continent]
    .filter((part) => part !== null)
    .join(', ');
  const as = place.as === null ? '' : `, AS${place.as}`;
  const built = place.built === null ? '' : ` (built ${place.built.slice(0, 10)})`;
  steps.push(
    place.database === null
      ? `no database or override knows where that is${as}`
      : `${place.network} is in ${where || 'no known place'}${as}, says ${place.database}${built}`,
  );
  if (place.countries.length > 0) {
    const beyond = answer.scope > subnetBits(e.client.prefix);
    const kept = beyond
      ? `; the scope is longer, but some resolvers give this answer to all of ${e.client.prefix}`
      : '';
    steps.push(
      `${e.client.prefix} has addresses in ${someOf(place.countries)}: its first address decides for all${kept}`,
    );
  }
  const end = endText(response, answer.rcode);
  if (links.length === 0) steps.push(`no zone of this server has the name: ${answer.rcode}`);
  for (const link of links) steps.push(...linkSteps(link, end));
  const count = `${answer.records.length} record${answer.records.length === 1 ? '' : 's'}`;
  const ttl = answer.ttl === null ? answer.ttlReason : `TTL ${answer.ttl} (${answer.ttlReason})`;
  return [...steps, `${answer.rcode} with ${count}, ${ttl}, scope /${answer.scope}`];
}
