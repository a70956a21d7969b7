// How the query log calls what zones consist of: their pools, and the regions that their lists belong to.
import type { ServedZone } from '../loading/served-zone.ts';
import type { ZoneNames } from '../querylog/zone-names.ts';
import type { SteeringMeta } from '../zone/meta.ts';

export function loggedNames(zone: ServedZone): ZoneNames {
  return {
    number: zone.number,
    name: zone.name,
    apex: zone.apex,
    pools: (zone.meta?.pools ?? []).map((pool) => pool.name),
    regions: (zone.meta?.steerings ?? []).map(regionsBySlot),
  };
}

/** The answer path knows lists, not regions: where several have equal lists it is one of them. */
function regionsBySlot({ lists, regions, defaultSlot }: SteeringMeta): string[] {
  return lists.map((_, slot) => {
    const names = regions.filter((region) => region.slot === slot).map((region) => region.name);
    return [...names, ...(slot === defaultSlot ? ['default'] : [])].join(',');
  });
}
