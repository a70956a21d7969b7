// What the builder thread is asked and what it answers; plain data, for structured clone.
import type { Diagnostic } from '../base/diagnostic.ts';
import type { SegmentRef, StoreHandle } from '../board/store.ts';
import type { GeoFacts, GeoFiles } from '../geo/open.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import type { CompiledZone } from '../zone/meta.ts';
import type { CheckRules } from '../zone/model.ts';
import type { CommonFile } from './zone-files.ts';

export interface ZoneJob {
  /** Path of the zone file. */
  readonly file: string;
  /** The zone that the file's name promises: `net.cat`, `.` for root.yaml. */
  readonly name: string;
  /** Key of the version that is served; the same source needs no work. */
  readonly servedKey: string | null;
  /** Whether any version of it is served. */
  readonly served: boolean;
  /** Why it can't be read or built, known before it is tried; null: nothing is. */
  readonly problem: Diagnostic | null;
}

export interface ZonesRequest {
  readonly kind: 'zones';
  readonly jobs: readonly ZoneJob[];
  readonly common: CommonFile | null;
  /** Why `_common.yaml` must not be read (again); null: it may be. */
  readonly commonProblem: Diagnostic | null;
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
  /** Why the new version couldn't be kept in state/; absent: it is kept, or needn't be. */
  readonly unsaved?: string;
}

/** What became of a region map; null: it can't be built, and why. */
export type MapResult =
  | { readonly image: Uint8Array; readonly problem: null }
  | { readonly image: null; readonly problem: string };

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

/** Geography from disk. */
export interface GeoRequest {
  readonly kind: 'geo';
  readonly files: GeoFiles;
  /** Where images and overrides are kept; null: nowhere. */
  readonly stateDirectory: string | null;
  /** Nothing is served yet: what is kept stands in for what can't be read. */
  readonly first: boolean;
}

/** Where a thread that has built geography shall put the image; null: nowhere, it isn't wanted any more. */
export interface PlaceRequest {
  readonly kind: 'place';
  readonly at: { readonly chunk: SharedArrayBuffer; readonly word: number } | null;
}

export type BuildRequest = ZonesRequest | MapsRequest | GeoRequest | PlaceRequest;

export type BuildReply =
  /** Sent before each step that may go wrong: what it is about, and how long it may take. */
  | { readonly kind: 'step'; readonly what: string; readonly withinMs: number | null }
  | { readonly kind: 'common'; readonly result: CommonResult }
  | { readonly kind: 'zone'; readonly result: ZoneResult }
  | { readonly kind: 'map'; readonly image: Uint8Array }
  /** Geography whose image has so many bytes: the thread waits to be told where to put it. */
  | { readonly kind: 'geo'; readonly geo: GeoFacts; readonly bytes: number }
  /** The image stands where it was to be put. */
  | { readonly kind: 'placed' }
  /** What was built couldn't be kept in state/. */
  | { readonly kind: 'kept'; readonly problem: string | null; readonly bytes: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: string };
