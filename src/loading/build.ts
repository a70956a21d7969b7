// What the builder thread is asked and what it answers; plain data, for structured clone.
import type { Diagnostic } from '../base/diagnostic.ts';
import type { SegmentRef, StoreHandle } from '../board/store.ts';
import type { GeoFiles, LoadedGeo } from '../geo/open.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import type { CompiledZone } from '../zone/meta.ts';
import type { CheckRules } from '../zone/model.ts';

/** A text and the path that diagnostics show for it. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

export interface ZoneJob {
  /** Path of the zone file. */
  readonly file: string;
  /** The zone that the file's name promises: `net.cat`, `.` for root.yaml. */
  readonly name: string;
  /** Key of the version that is served; the same source needs no work. */
  readonly servedKey: string | null;
}

export interface ZonesRequest {
  readonly kind: 'zones';
  readonly jobs: readonly ZoneJob[];
  readonly common: SourceText | null;
  /** What `_common.yaml` said when it was last without errors. */
  readonly lastGoodCommon: string | null;
  /** Relative paths in checks are relative to it. */
  readonly baseDirectory: string;
  readonly checkRules: CheckRules;
  /** Where compiled zones are kept; null: nowhere. */
  readonly stateDirectory: string | null;
}

/** What became of one zone file. */
export interface ZoneResult {
  readonly job: ZoneJob;
  /** `same`: what is served stands. `new`: `compiled` is its content. `stale`: errors, `compiled` is the last good version
   * from state/. `error`: errors, and no good version in state/. `gone`: the file can't be read. */
  readonly outcome: 'same' | 'new' | 'stale' | 'error' | 'gone';
  readonly key: string;
  readonly compiled: CompiledZone | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** What became of `_common.yaml`. */
export interface CommonResult {
  readonly good: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

export interface MapsRequest {
  readonly kind: 'maps';
  readonly specs: readonly MapSpec[];
  readonly store: StoreHandle;
  readonly geo: SegmentRef;
}

/** Geography from disk, and the region maps that go with it. */
export interface GeoRequest {
  readonly kind: 'geo';
  readonly files: GeoFiles;
  readonly specs: readonly MapSpec[];
}

export type BuildRequest = ZonesRequest | MapsRequest | GeoRequest;

export type BuildReply =
  | { readonly kind: 'common'; readonly result: CommonResult }
  | { readonly kind: 'zone'; readonly result: ZoneResult }
  | { readonly kind: 'maps'; readonly images: readonly Uint8Array[] }
  | { readonly kind: 'geo'; readonly geo: LoadedGeo; readonly maps: readonly Uint8Array[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: string };
