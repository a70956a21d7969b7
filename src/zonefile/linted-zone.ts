// What lint looks at: a zone as it was written, and what the geographic databases can tell.
import type { Address } from '../base/address.ts';
import type { Document } from '../base/document.ts';
import type { Coordinates } from '../geo/place.ts';
import type { SetRegions, Unreached } from '../zone/unreached.ts';
import type { Checks } from './checks.ts';
import type { WrittenPool } from './pools.ts';
import type { WrittenOwner } from './records.ts';
import type { Region } from './regions.ts';
import type { WrittenSteering } from './steering.ts';

/** What the loaded geographic databases can tell of an address. */
export interface GeoData {
  readonly coordinates: boolean;
  readonly subdivisions: boolean;
  readonly cities: boolean;
  readonly asNumbers: boolean;
  /** What the regions of a record set name in vain, and what to do about it. */
  unreached(regions: readonly SetRegions[]): readonly (Unreached & { readonly fix: string })[];
  /** Where an address is; null: not known. */
  coordinatesOf(address: Address): Coordinates | null;
}

/** A zone as written, for lint. */
export interface LintedZone {
  readonly document: Document;
  readonly zone: string;
  /** Of this file alone; what `_common.yaml` has may be used by other zones. */
  readonly regions: ReadonlyMap<string, Region>;
  readonly usedRegions: ReadonlySet<string>;
  readonly pools: ReadonlyMap<string, WrittenPool>;
  readonly usedPools: ReadonlySet<string>;
  readonly checks: Checks;
  readonly owners: ReadonlyMap<string, WrittenOwner>;
  readonly steerings: readonly WrittenSteering[];
  readonly transferOffset: number | null;
  readonly geoData: GeoData | null;
}
