// What the served zones name in vain, for status: looked up once for each zone and geography, since a look takes a while.
import { Inhabited } from '../geo/inhabited.ts';
import { GeoView } from '../geo/lookup.ts';
import type { Serving } from '../loading/serving.ts';
import type { ZoneMeta } from '../zone/meta.ts';
import { unreached } from '../zone/unreached.ts';

export class UnreachedRules {
  #inhabited: Inhabited | null = null;
  /** By zone as compiled. */
  #found = new WeakMap<ZoneMeta, readonly string[]>();

  /** A sentence for each place that no address lies in and each region that no client gets, `zone NAME: ` before it. */
  tell(serving: Serving): string[] {
    const { store, geo: ref } = serving.images;
    if (ref === 0) return [];
    const geo = new GeoView();
    geo.attach(store.words(ref), 0);
    if (this.#inhabited?.stamp !== geo.stamp) {
      this.#inhabited = new Inhabited(geo);
      this.#found = new WeakMap();
    }
    return [...serving.zones.all.values()].flatMap(({ meta }) => {
      if (meta === null) return [];
      let found = this.#found.get(meta);
      if (found === undefined) {
        found = sentences(meta, geo, this.#inhabited!);
        this.#found.set(meta, found);
      }
      return found;
    });
  }
}

/** Record sets with the same regions have the same faults; a region's places are said once. */
function sentences(meta: ZoneMeta, geo: GeoView, inhabited: Inhabited): string[] {
  const seen = new Set<string>();
  const said = new Set<string>();
  for (const { regions, owners } of meta.steerings) {
    const pattern = regions.map(({ name }) => name).join(' ');
    if (pattern === '' || seen.has(pattern)) continue;
    seen.add(pattern);
    for (const { kind, region, message } of unreached(regions, geo, inhabited)) {
      const where = kind === 'place' ? `the region ${region}` : (owners[0] ?? '@');
      said.add(`zone ${meta.name}: ${where}: ${message}`);
    }
  }
  return [...said];
}
