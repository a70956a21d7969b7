// Which steered record sets fail open now, and which forced states leave without a member: what the chooser says of all their clients.

import { limits } from '../base/limits.ts';
import { atOnce } from '../base/slices.ts';
import type { Images } from '../loading/images.ts';
import type { ServedZone } from '../loading/served-zone.ts';
import { RegionMapView } from '../regionmap/lookup.ts';
import type { ChoiceProbe, ProbedChoice } from '../steer/probe-choice.ts';
import { typeToText } from '../wire/types.ts';
import { ZoneView } from '../zone/find.ts';
import type { SteeringMeta } from '../zone/meta.ts';

/** What is answered from, and who is asked about it. */
export interface Served {
  readonly images: Images;
  readonly probe: ChoiceProbe;
}

/** A zone that is served. */
export type SteeredZone = Pick<ServedZone, 'name' | 'image' | 'meta' | 'mapKeys'>;

/** What is asked of a set's choices. */
export type Question = 'failOpen' | 'empty';

const QUESTIONS: Readonly<Record<Question, (choice: ProbedChoice) => boolean>> = {
  failOpen: ({ failsOpen }) => failsOpen,
  empty: ({ nobody }) => nobody,
};

/** The sets of a zone that fail open for some client, as `zone pool-list TYPE` in the words of the file. */
export function failOpenSets(zone: SteeredZone, served: Served): string[] {
  return atOnce(setsOf(zone, served, 'failOpen'));
}

/** The sets of a zone that have no member left for some client: all that it could get are forced down or drained. */
export function emptySets(zone: SteeredZone, served: Served): string[] {
  return atOnce(setsOf(zone, served, 'empty'));
}

/** The same in steps. Between two the zone's image, its region maps and the geography must stay: else break it off. */
export function* setsOf(
  { name, image, meta, mapKeys }: SteeredZone,
  served: Served,
  question: Question,
): Generator<void, string[]> {
  if (image === null || meta === null || meta.steerings.length === 0) return [];
  const is = QUESTIONS[question];
  const words = served.images.store.words(image);
  const view = new ZoneView();
  view.attach(words, new Uint8Array(words.buffer, words.byteOffset, words.byteLength), 0);
  const found: string[] = [];
  for (const steering of meta.steerings) {
    const map = steering.map < 0 ? null : served.images.map(mapKeys[steering.map]!);
    const isSo =
      map === null
        ? is(served.probe.choose(view, steering.at, null))
        : map !== undefined && (yield* someWay(view, steering, map, served.probe, is));
    if (isSo) found.push(`${name} ${steering.owners.join(' ')} ${typeToText(steering.type)}`);
    yield;
  }
  return found;
}

/** Whether a way up that some client has ends so. Ways with a live pool are left out: there are many where distance decides. */
function* someWay(
  zone: ZoneView,
  steering: SteeringMeta,
  map: Int32Array,
  probe: ChoiceProbe,
  is: (choice: ProbedChoice) => boolean,
): Generator<void, boolean> {
  const dead = steering.lists.map((_, slot) => probe.chooseListed(zone, steering.at, slot)?.live !== true);
  if (!dead.includes(true)) return false;
  const way = new RegionMapView();
  way.words = map;
  const seen = new Set<string>();
  for (let chain = 0; chain < way.chainCount; chain++) {
    if (chain % limits.failOpenWays === limits.failOpenWays - 1) yield;
    way.showChain(chain);
    const slots = Array.from({ length: way.listCount }, (_, i) => map[way.variantAt(i)]!);
    if (slots.some((slot) => !dead[slot]!)) continue;
    // Where no pool is chosen, none is in another order of the same lists' pools.
    const key = slots.join();
    if (seen.has(key)) continue;
    const choice = probe.choose(zone, steering.at, way);
    if (is(choice)) return true;
    if (choice.pool === null) seen.add(key);
  }
  return false;
}
