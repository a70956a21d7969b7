// Entry of the builder thread: parses, compiles and walks databases, away from everything that must not wait.
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { Diagnostic } from '../base/diagnostic.ts';
import { keepHeapsSmall } from '../base/heap.ts';
import { chunkOf, wordOf } from '../board/store.ts';
import { GeoView } from '../geo/lookup.ts';
import { loadGeo } from '../geo/open.ts';
import { buildRegionMap } from '../regionmap/build.ts';
import { type ParsedCommon, parseCommon, type ReadOptions } from '../zonefile/common.ts';
import { compileZone } from '../zonefile/compile.ts';
import { parseZone } from '../zonefile/parse.ts';
import type {
  BuildReply,
  BuildRequest,
  CommonResult,
  GeoRequest,
  MapsRequest,
  ZoneJob,
  ZoneResult,
  ZonesRequest,
} from './build.ts';
import { type CachedZone, loadZone, sourceKey, storeZone } from './zone-cache.ts';

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

/** `_common.yaml` as zones see it: with mistakes, its last good version; without one, a failed one. */
function readCommon(
  request: ZonesRequest,
  options: ReadOptions,
): { common: ParsedCommon | null; text: string; result: CommonResult } {
  if (request.common === null) return { common: null, text: '', result: { good: true, diagnostics: [] } };
  const { common, diagnostics } = parseCommon(request.common, options);
  const good = !diagnostics.some((d) => d.severity === 'error');
  const result = { good, diagnostics };
  if (good || request.lastGoodCommon === null) return { common, text: request.common.text, result };
  const last = parseCommon({ file: request.common.file, text: request.lastGoodCommon }, options);
  return { common: last.common, text: request.lastGoodCommon, result };
}

function buildZones(request: ZonesRequest): void {
  const options = { baseDirectory: request.baseDirectory, checkRules: request.checkRules };
  const { common, text, result } = readCommon(request, options);
  reply({ kind: 'common', result });
  for (const job of request.jobs) {
    const zone = buildZone(job, request, options, common, text);
    reply({ kind: 'zone', result: zone }, zone.compiled ? [zone.compiled.image] : []);
  }
}

function buildZone(
  job: ZoneJob,
  request: ZonesRequest,
  options: ReadOptions,
  common: ParsedCommon | null,
  commonText: string,
): ZoneResult {
  const nothing = { job, key: '', compiled: null, diagnostics: [] };
  let text: string;
  try {
    text = readFileSync(job.file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...nothing, outcome: 'gone' };
    return lastGood(job, keptZone(job, request), '', [unreadable(job.file, (error as Error).message)]);
  }
  const key = sourceKey([
    job.name,
    job.file,
    request.baseDirectory,
    JSON.stringify(request.checkRules),
    commonText,
    text,
  ]);
  if (key === job.servedKey) return { ...nothing, outcome: 'same', key };
  const cached = keptZone(job, request);
  if (cached !== null && cached.key === key) {
    return { job, outcome: 'new', key, compiled: cached.compiled, diagnostics: cached.warnings };
  }
  const { model, diagnostics } = parseZone({ file: job.file, text, expectedName: job.name }, common, {
    ...options,
    geoData: null,
  });
  if (model === null) return lastGood(job, cached, key, diagnostics);
  const compiled = compileZone(model);
  if (request.stateDirectory !== null)
    storeZone(request.stateDirectory, job.name, { key, compiled, warnings: diagnostics });
  return { job, outcome: 'new', key, compiled, diagnostics };
}

function keptZone(job: ZoneJob, request: ZonesRequest): CachedZone | null {
  return request.stateDirectory === null ? null : loadZone(request.stateDirectory, job.name);
}

/** What becomes of a file with errors: its last good version, where one is kept. */
function lastGood(
  job: ZoneJob,
  cached: CachedZone | null,
  key: string,
  diagnostics: readonly Diagnostic[],
): ZoneResult {
  if (cached === null) return { job, outcome: 'error', key, compiled: null, diagnostics };
  return { job, outcome: 'stale', key: cached.key, compiled: cached.compiled, diagnostics };
}

function unreadable(file: string, message: string): Diagnostic {
  const fix = 'let the server read it';
  return { code: 'unreadable-file', severity: 'error', file, line: 1, col: 1, message, fix, excerpt: '' };
}

function buildMaps(request: MapsRequest): void {
  const geo = new GeoView();
  geo.attach(new Int32Array(request.store.chunks[chunkOf(request.geo)]!), wordOf(request.geo));
  const images = request.specs.map((spec) => buildRegionMap(geo, spec));
  reply({ kind: 'maps', images }, images);
}

function buildGeo(request: GeoRequest): void {
  const loaded = loadGeo(request.files);
  const view = new GeoView();
  view.attach(new Int32Array(loaded.image.buffer, loaded.image.byteOffset, loaded.image.byteLength >> 2), 0);
  const maps = request.specs.map((spec) => buildRegionMap(view, spec));
  reply({ kind: 'geo', geo: loaded, maps }, [loaded.image, ...maps]);
}

port.on('message', (request: BuildRequest) => {
  try {
    if (request.kind === 'zones') buildZones(request);
    else if (request.kind === 'maps') buildMaps(request);
    else buildGeo(request);
    reply({ kind: 'done' });
  } catch (error) {
    reply({ kind: 'failed', error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
