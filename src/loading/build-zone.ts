// Makes a zone's image of its file, or finds its last good version; whatever goes wrong is that zone's error.
import { readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, sep } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { readDocument } from '../base/document.ts';
import { limits } from '../base/limits.ts';
import { readTextHere } from '../base/read-file.ts';
import { type ParsedCommon, parseCommon, type ReadOptions } from '../zonefile/common.ts';
import { compileZone } from '../zonefile/compile.ts';
import { parseZone } from '../zonefile/parse.ts';
import type { CommonResult, ZoneJob, ZoneResult, ZonesRequest } from './build.ts';
import { type CachedZone, type KeptZone, loadZone, sourceKey, storeZone } from './zone-cache.ts';

/** What a failed build says of a file. */
export function buildFailed(file: string, message: string): Diagnostic {
  const fix = 'make the file smaller or simpler: split the zone, or write long lists once';
  return { code: 'build-failed', severity: 'error', file, line: 1, col: 1, message, fix, excerpt: '' };
}

export function unreadable(file: string, message: string): Diagnostic {
  const fix = 'put a file there that the server may read';
  return { code: 'unreadable-file', severity: 'error', file, line: 1, col: 1, message, fix, excerpt: '' };
}

/** How long one file may be worked on. */
function withinMsOf(text: string): number {
  return limits.builderFileMs + Math.ceil((text.length / 1024 / 1024) * limits.builderMsPerMiB);
}

/** An exception that no check foresaw, as a sentence; a stack overflow, for one, which unwinds like any other. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export class ZoneBuilder {
  readonly #request: ZonesRequest;
  readonly #options: ReadOptions;
  readonly #step: (what: string, withinMs: number) => void;
  #common: ParsedCommon | null = null;
  #commonText = '';

  /** @param step told before each step what it is about and how long it may take */
  constructor(request: ZonesRequest, step: (what: string, withinMs: number) => void) {
    this.#request = request;
    this.#options = { baseDirectory: request.baseDirectory, checkRules: request.checkRules };
    this.#step = step;
  }

  /** `_common.yaml` as zones see it: with mistakes, its last good version; without one, a failed one. */
  readCommon(): CommonResult {
    const { common, commonProblem, lastGoodCommon } = this.#request;
    if (common === null) return { good: true, diagnostics: [] };
    const { file, text } = common;
    let diagnostics: readonly Diagnostic[] = [commonProblem ?? unreadable(file, common.problem ?? '')];
    if (commonProblem === null && text !== null) {
      const parsed = this.#parseCommon(file, text);
      diagnostics = isLinkedOut(file) ? withheld(file, text, COMMON_MARK, parsed.diagnostics) : parsed.diagnostics;
      this.#common = parsed.common;
      this.#commonText = text;
      if (!diagnostics.some((d) => d.severity === 'error')) return { good: true, diagnostics };
    }
    if (lastGoodCommon !== null) {
      this.#common = this.#parseCommon(file, lastGoodCommon).common;
      this.#commonText = lastGoodCommon;
    } else if (this.#common === null) {
      // Nothing is known of it: what zones take from it is missing, and those that take nothing are as they were.
      this.#common = { ...this.#parseCommon(file, '').common, failed: true };
      this.#commonText = '\0';
    }
    return { good: false, diagnostics };
  }

  #parseCommon(file: string, text: string): ReturnType<typeof parseCommon> {
    this.#step(file, withinMsOf(text));
    try {
      return parseCommon({ file, text }, this.#options);
    } catch (error) {
      const { common } = parseCommon({ file, text: '' }, this.#options);
      return { common: { ...common, failed: true }, diagnostics: [buildFailed(file, wordsOf(error))] };
    }
  }

  /** Never throws. */
  build(job: ZoneJob): ZoneResult {
    try {
      return this.#build(job);
    } catch (error) {
      return this.#lastGood(job, '', [buildFailed(job.file, `this zone can't be built: ${wordsOf(error)}`)]);
    }
  }

  #build(job: ZoneJob): ZoneResult {
    this.#step(job.file, limits.builderReadMs);
    if (job.problem !== null) return this.#lastGood(job, '', [job.problem]);
    let text: string;
    try {
      text = readTextHere(job.file, limits.yamlFileBytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        return { job, key: '', compiled: null, diagnostics: [], outcome: 'gone' };
      }
      return this.#lastGood(job, '', [unreadable(job.file, (error as Error).message)]);
    }
    const key = this.#keyOf(job, text);
    if (key === job.servedKey) return { job, key, compiled: null, diagnostics: [], outcome: 'same' };
    const cached = this.#kept(job)?.cached ?? null;
    if (cached?.key === key) {
      return { job, outcome: 'new', key, compiled: cached.compiled, diagnostics: cached.warnings };
    }
    this.#step(job.file, withinMsOf(text));
    const source = { file: job.file, text, expectedName: job.name };
    const parsed = parseZone(source, this.#common, { ...this.#options, geoData: null });
    const { model } = parsed;
    const diagnostics = isLinkedOut(job.file)
      ? withheld(job.file, text, zoneMark(job.name), parsed.diagnostics)
      : parsed.diagnostics;
    if (model === null) return this.#lastGood(job, key, diagnostics);
    const compiled = compileZone(model);
    const unsaved = this.#keep(job, { key, compiled, warnings: diagnostics }, text);
    return { job, outcome: 'new', key, compiled, diagnostics, ...(unsaved === null ? {} : { unsaved }) };
  }

  /** Keeps a version for the next start, if that can be. */
  #keep(job: ZoneJob, zone: CachedZone, text: string): string | null {
    const directory = this.#request.stateDirectory;
    return directory === null ? null : storeZone(directory, job.name, zone, text);
  }

  #kept(job: ZoneJob): KeptZone | null {
    return this.#request.stateDirectory === null ? null : loadZone(this.#request.stateDirectory, job.name);
  }

  /** What becomes of a file with errors: its last good version, where one is kept. */
  #lastGood(job: ZoneJob, key: string, diagnostics: readonly Diagnostic[]): ZoneResult {
    // What is served stands: nothing needs to be read.
    const kept = job.served ? null : this.#kept(job);
    const cached = kept === null ? null : (kept.cached ?? this.#rebuilt(job, kept.text));
    if (cached === null) return { job, outcome: 'error', key, compiled: null, diagnostics };
    return { job, outcome: 'stale', key: cached.key, compiled: cached.compiled, diagnostics };
  }

  /** A last good version that another version of the program had made, made anew; null where this one finds mistakes in it. */
  #rebuilt(job: ZoneJob, text: string): CachedZone | null {
    this.#step(job.file, withinMsOf(text));
    const source = { file: job.file, text, expectedName: job.name };
    const { model } = parseZone(source, this.#common, { ...this.#options, geoData: null });
    return model === null ? null : { key: this.#keyOf(job, text), compiled: compileZone(model), warnings: [] };
  }

  #keyOf(job: ZoneJob, text: string): string {
    const { baseDirectory, checkRules } = this.#request;
    return sourceKey([job.name, job.file, baseDirectory, JSON.stringify(checkRules), this.#commonText, text]);
  }
}

/**
 * Whether a file in the zones folder is a link to one outside of it. A folder of Kubernetes (`x.yaml -> ..data/x.yaml -> ..2026/x.yaml`) keeps
 * its links inside.
 */
function isLinkedOut(file: string): boolean {
  try {
    readlinkSync(file);
  } catch {
    return false;
  }
  try {
    return !realpathSync(file).startsWith(realpathSync(dirname(file)) + sep);
  } catch {
    return true;
  }
}

/** Whether a text is what the file is there for. */
type Mark = (root: ReturnType<typeof readDocument>['root']) => boolean;

const zoneMark =
  (name: string): Mark =>
  (root) => {
    const zone = root?.kind === 'map' ? root.entries.get('zone')?.value : undefined;
    return zone?.kind === 'scalar' && zone.text.toLowerCase().replace(/(.)\.$/, '$1') === name;
  };

const COMMON_KEYS = new Set(['version', 'accept', 'regions', 'checks', 'pools', 'ttl', 'soa', 'ns']);

const COMMON_MARK: Mark = (root) =>
  root?.kind === 'map' && root.entries.size > 0 && [...root.entries.keys()].every((key) => COMMON_KEYS.has(key));

/**
 * The diagnostics of a file that a link leads to, outside of the zones folder: whoever may write links there may not read what the server may.
 * It is served when it is a zone file; its lines are never shown, and nothing of it is quoted unless it names the zone that it is linked as.
 */
function withheld(file: string, text: string, mark: Mark, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (diagnostics.length === 0) return diagnostics;
  if (mark(readDocument(file, text).root)) return diagnostics.map((d) => ({ ...d, excerpt: '' }));
  if (!diagnostics.some((d) => d.severity === 'error')) return [];
  const message = `${basename(file)} is a link out of the zones folder, to a file that is none of this zone: what is wrong in it is not shown`;
  const fix = 'link to a zone file with the right "zone:", or put the file into the folder';
  return [{ code: 'linked-file', severity: 'error', file, line: 1, col: 1, message, fix, excerpt: '' }];
}
