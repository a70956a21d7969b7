// Which steered record sets fail open now, and which forced states leave without a member: what the chooser says of all their clients.

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
type Zone = Pick<ServedZone, 'name' | 'image' | 'meta' | 'mapKeys'>;

/** The sets of a zone that fail open for some client, as `zone pool-list TYPE` in the words of the file. */
export function failOpenSets(zone: Zone, served: Served): string[] {
  return setsWith(zone, served, ({ failsOpen }) => failsOpen);
}

/** The sets of a zone that have no member left for some client: all that it could get are forced down or drained. */
export function emptySets(zone: Zone, served: Served): string[] {
  return setsWith(zone, served, ({ nobody }) => nobody);
}

function setsWith(
  { name, image, meta, mapKeys }: Zone,
  served: Served,
  is: (choice: ProbedChoice) => boolean,
): string[] {
  if (image === null || meta === null || meta.steerings.length === 0) return [];
  const words = served.images.store.words(image);
  const view = new ZoneView();
  view.attach(words, new Uint8Array(words.buffer, words.byteOffset, words.byteLength), 0);
  return meta.steerings
    .filter((steering) => {
      if (steering.map < 0) return is(served.probe.choose(view, steering.at, null));
      const map = served.images.map(mapKeys[steering.map]!);
      return map !== undefined && someWay(view, steering, map, served.probe, is);
    })
    .map((steering) => `${name} ${steering.owners.join(' ')} ${typeToText(steering.type)}`);
}

/** Whether a way up that some client has ends so. Ways with a live pool are left out: there are many where distance decides. */
function someWay(
  zone: ZoneView,
  steering: SteeringMeta,
  map: Int32Array,
  probe: ChoiceProbe,
  is: (choice: ProbedChoice) => boolean,
): boolean {
  const dead = steering.lists.map((_, slot) => probe.chooseListed(zone, steering.at, slot)?.live !== true);
  if (!dead.includes(true)) return false;
  const way = new RegionMapView();
  way.words = map;
  const seen = new Set<string>();
  for (let chain = 0; chain < way.chainCount; chain++) {
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
