// Entry of the builder thread: parses, compiles and walks databases, away from everything that must not wait.
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { collectHeap, keepHeapsSmall } from '../base/heap.ts';
import { limits } from '../base/limits.ts';
import { chunkOf, wordOf } from '../board/store.ts';
import { GeoView } from '../geo/lookup.ts';
import { planGeo } from '../geo/open.ts';
import { buildRegionMap } from '../regionmap/build.ts';
import type { BuildReply, BuildRequest, GeoRequest, MapsRequest, PlaceRequest, ZonesRequest } from './build.ts';
import { ZoneBuilder } from './build-zone.ts';
import { keepGeo, keptOverrides, keyOfGeo, loadKeptGeo, type PlannedGeo } from './geo-cache.ts';

keepHeapsSmall();

const port = parentPort!;

try {
  // On Linux this is the thread's own priority: answering and probing come first.
  setPriority(5);
} catch {
  // Where it isn't allowed, building is merely less polite.
}

function reply(message: BuildReply, images: readonly Uint8Array[] = []): void {
  port.postMessage(
    message,
    images.map((image) => image.buffer as ArrayBuffer),
  );
}

/** Says what comes next, and how long whoever waits for it shall wait. */
function step(what: string, withinMs: number | null): void {
  reply({ kind: 'step', what, withinMs });
}

function buildZones(request: ZonesRequest): void {
  const builder = new ZoneBuilder(request, step);
  reply({ kind: 'common', result: builder.readCommon() });
  for (const job of request.jobs) {
    const zone = builder.build(job);
    reply({ kind: 'zone', result: zone }, zone.compiled ? [zone.compiled.image] : []);
  }
}

function buildMaps(request: MapsRequest): void {
  const geo = new GeoView();
  geo.attach(new Int32Array(request.store.chunks[chunkOf(request.geo)]!), wordOf(request.geo));
  for (const spec of request.specs) {
    step('region map', limits.builderMapMs);
    const image = buildRegionMap(geo, spec);
    reply({ kind: 'map', image }, [image]);
  }
}

/** Geography from what is kept, or from the files; with a broken database at the start its last good content stands in. */
function loadGeography({ files, stateDirectory, first }: GeoRequest): {
  geo: PlannedGeo;
  /** Keeps it, once its image is written. Returns why it couldn't, or null. */
  keep: (image: Uint8Array) => string | null;
} {
  const kept = { keep: (): null => null };
  // A state folder that doesn't answer is done without.
  const state = files.refused?.some(({ file }) => file === stateDirectory) ? null : stateDirectory;
  if (state === null) return { geo: planGeo(files, step), ...kept };
  step(state, limits.builderReadMs);
  const lastGoodOverrides = first ? keptOverrides(state) : files.lastGoodOverrides;
  const known = { ...files, lastGoodOverrides };
  const current = first ? loadKeptGeo(state, known, 'current', step) : null;
  if (current !== null) return { geo: current, ...kept };
  const nothing = { listFiles: [], overridesFailed: false };
  const before = keyOfGeo(known, nothing, step);
  const geo = planGeo(known, step);
  const { facts } = geo;
  step(state, limits.builderGeoMs);
  if (first && facts.problems.length > 0) {
    const last = loadKeptGeo(state, known, 'any', step);
    if (last !== null) return { geo: { ...last, facts: { ...last.facts, problems: facts.problems } }, ...kept };
  }
  // Files that changed while they were read are read again; what was made of them is not kept.
  const stands = keyOfGeo(known, nothing, step) === before;
  return { geo, keep: (image) => (stands ? keepGeo(state, keyOfGeo(known, facts, step), facts, image) : null) };
}

/** Waits to be told where to put the image. */
let place: ((request: PlaceRequest) => void) | null = null;

function buildGeo(request: GeoRequest): void {
  const { geo, keep } = loadGeography(request);
  const { bytes, write } = geo.image;
  place = ({ at }) => {
    step(request.stateDirectory ?? '', limits.builderGeoMs);
    const target = at === null ? null : new Uint8Array(at.chunk, at.word * 4, bytes);
    if (target !== null) write(target);
    reply({ kind: 'placed' });
    if (target !== null) reply({ kind: 'kept', problem: keep(target), bytes });
  };
  step('', null);
  collectHeap();
  reply({ kind: 'geo', geo: geo.facts, bytes });
}

port.on('message', (request: BuildRequest) => {
  try {
    if (request.kind === 'zones') buildZones(request);
    else if (request.kind === 'maps') buildMaps(request);
    else if (request.kind === 'geo') {
      buildGeo(request);
      return;
    } else {
      place?.(request);
      place = null;
    }
    reply({ kind: 'done' });
  } catch (error) {
    reply({ kind: 'failed', error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
