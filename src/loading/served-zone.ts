// A zone as it is served, and what there is to say of it.
import type { Diagnostic } from '../base/diagnostic.ts';
import type { SegmentRef } from '../board/store.ts';
import { parseName } from '../wire/name.ts';
import { absoluteName } from '../wire/zone-name.ts';
import type { ZoneMeta } from '../zone/meta.ts';
import type { ZoneJob } from './build.ts';
import { NO_SIGNATURE, type Signature } from './zone-files.ts';

/** A zone as it is served. */
export interface ServedZone {
  readonly name: string;
  readonly file: string;
  /** Row of its counters; also its number in the directory. */
  readonly number: number;
  readonly apex: Uint8Array;
  signature: Signature;
  /** Key of the source that is served, null: none is. */
  key: string | null;
  image: SegmentRef | null;
  meta: ZoneMeta | null;
  mapKeys: readonly string[];
  serial: number | null;
  state: 'ok' | 'stale' | 'error';
  diagnostics: readonly Diagnostic[];
  loadedAtMs: number | null;
  /** When its file was first seen to be absent. */
  missingSinceMs: number | null;
}

/** A zone of which nothing is served yet. */
export function newZone(job: ZoneJob, number: number): ServedZone {
  const name = parseName(absoluteName(job.name), null);
  return {
    name: job.name,
    file: job.file,
    number,
    // A file whose name is no domain name has errors and is never published.
    apex: name.ok ? name.wire : new Uint8Array(0),
    signature: NO_SIGNATURE,
    key: null,
    image: null,
    meta: null,
    mapKeys: [],
    serial: null,
    state: 'error',
    diagnostics: [],
    loadedAtMs: null,
    missingSinceMs: null,
  };
}
