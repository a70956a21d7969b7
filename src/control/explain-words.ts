// Words for what the answer path did: the reasons and the story that explain tells.
import { MODE_BELOW_MIN_LIVE, MODE_FAIL_OPEN } from '../steer/choose.ts';
import type { SteeringMeta } from '../zone/meta.ts';
import type { HeardSteering } from './explain-listener.ts';
import { choiceText } from './place-text.ts';
import type { Explanation } from './views.ts';
import type { ServedZone } from './zones.ts';

/** Why a pool was chosen, or not. */
export function poolWhy(chosen: boolean, state: string, heard: HeardSteering): string {
  if (!chosen) return state === 'up' ? 'up, but a pool before it was chosen' : `passed over: ${state}`;
  if (heard.mode === MODE_FAIL_OPEN) return 'chosen to fail open: nothing is live anywhere on the way up';
  if (heard.mode === MODE_BELOW_MIN_LIVE) return 'chosen below its min-live: no pool on the way up is up';
  if (heard.climbed) return 'chosen after climbing: no pool of the region itself is up';
  return 'chosen: the first pool of its list that is up';
}

/** Where the answer's TTL comes from. */
export function ttlReason(steering: SteeringMeta | null, heard: HeardSteering | null): string {
  if (steering === null || heard === null) return 'the record set is static';
  if (steering.ttlMax === steering.ttlMin) return 'fixed in the zone file';
  if (heard.ttlSeconds === steering.ttlMax) return `max ${steering.ttlMax}: no verdict can flip sooner`;
  if (heard.ttlSeconds === steering.ttlMin) return `min ${steering.ttlMin}: a verdict could flip within it`;
  return `a verdict could flip in ${heard.ttlSeconds} s at the earliest`;
}

/** The story in order, a sentence each. */
export function storyOf(
  e: Omit<Explanation, 'steps'>,
  zone: ServedZone | undefined,
  heard: HeardSteering | null,
  steering: SteeringMeta | null,
): string[] {
  const steps = [`${e.question.name} ${e.question.type} is asked for ${e.client.prefix}, from ${e.client.source === 'ecs' ? 'the client subnet' : "the resolver's address"}`];
  if (zone === undefined) return [...steps, `no served zone has this name: ${e.answer.rcode}`];
  steps.push(`zone ${zone.name}, serial ${zone.serial ?? 'none'}, is ${zone.state}`);
  const { place } = e;
  const where = [place.city, place.subdivision, place.country, place.continent].filter((part) => part !== null).join(', ');
  steps.push(
    place.database === null
      ? 'no database or override knows where that is'
      : `${place.network} is in ${where || 'no known place'}${place.as === null ? '' : `, AS${place.as}`}, says ${place.database}${place.built === null ? '' : ` (built ${place.built.slice(0, 10)})`}`,
  );
  if (heard === null || steering === null) {
    steps.push('the answer is static: the client does not matter');
  } else {
    if (e.region !== null && steering.regions.length > 0) {
      steps.push(`region ${e.region.name} wins (${e.region.match}); then ${e.region.candidates.slice(1).map((c) => c.name).join(', ') || 'nothing'}`);
    }
    steps.push(`its list: ${e.region?.candidates[0]?.list ?? choiceText(steering.lists[steering.defaultSlot]![0]!)}`);
    for (const pool of e.pools) steps.push(`pool ${pool.name}: ${pool.why}`);
  }
  steps.push(`${e.answer.rcode} with ${e.answer.records.length} records, TTL ${e.answer.ttl ?? 'none'} (${e.answer.ttlReason}), scope /${e.answer.scope}`);
  return steps;
}
