// Brings the databases up to date: fetch, check, open, compare, install; each by itself, and what fails leaves all as it was.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { UpdateSettings } from '../settings/geoip-update.ts';
import { type Placed, readPlaced, shareChanged } from './compare.ts';
import { type DownloadBounds, DownloadError, Downloader } from './download.ts';
import { fetchOrder } from './fetch-order.ts';
import { type Entry, NEVER, readHistory, storeHistory } from './history.ts';
import { contentOf, install, previousOf, sweep } from './install.ts';
import { ContentError, type Order } from './source.ts';
import { SOURCES } from './sources.ts';

export interface UpdateJob {
  readonly settings: UpdateSettings;
  /** The folder of the databases. */
  readonly directory: string;
  /** Where the history is kept. */
  readonly historyFile: string;
  /** Whatever changed, and whether it did: an operator wants it. */
  readonly force: boolean;
  /** Of this program, for the publisher. */
  readonly version: string;
}

/** What became of one database. */
export interface UpdateResult {
  /** Base name. */
  readonly file: string;
  /** refused: it is sound, and too different; bad: what came is unusable; failed: nothing came. */
  readonly outcome: 'installed' | 'unchanged' | 'refused' | 'bad' | 'failed';
  /** For people, one sentence. */
  readonly message: string;
  /** Share of the address space that changed its country, 0 to 1; null: there was nothing to compare. */
  readonly share: number | null;
  /** Seconds since 1970 at which the new database was built; null: there is none. */
  readonly builtAt: number | null;
  /** What is to be remembered of it. */
  readonly entry: Entry;
}

/** Runs the job. Rejects only for what concerns all of it: a licence key or certificates that can't be read. */
export async function updateDatabases(
  job: UpdateJob,
  clock: Clock,
  bounds?: DownloadBounds,
): Promise<readonly UpdateResult[]> {
  const authorization = authorizationOf(job.settings);
  const { caFile } = job.settings;
  const authorities = caFile === null ? null : textOf(caFile, 'certificates');
  const downloader = new Downloader(clock, job.version, authorities, bounds);
  const results: UpdateResult[] = [];
  try {
    for (const order of SOURCES[job.settings.source](job.settings, new Date(clock.nowMs()))) {
      const before = readHistory(job.historyFile)[order.file] ?? NEVER;
      const result = await updateOne(job, order, before, downloader, authorization, clock);
      results.push(result);
      // What isn't remembered is fetched once more than needed; a full disk is no reason to serve an old database.
      await storeHistory(job.historyFile, { ...readHistory(job.historyFile), [order.file]: result.entry }).catch(
        () => {},
      );
    }
  } finally {
    await downloader.close();
  }
  return results;
}

/** RFC 7617, with MaxMind's account number and licence key. */
function authorizationOf({ account, licenceKeyFile }: UpdateSettings): string | null {
  if (account === null || licenceKeyFile === null) return null;
  const key = textOf(licenceKeyFile, 'licence key').trim();
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new ContentError(`${licenceKeyFile} holds no licence key: one word on one line`);
  return `Basic ${Buffer.from(`${account}:${key}`).toString('base64')}`;
}

function textOf(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ContentError(`cannot read the ${what}: ${(error as Error).message}`);
  }
}

async function updateOne(
  job: UpdateJob,
  order: Order,
  before: Entry,
  downloader: Downloader,
  authorization: string | null,
  clock: Clock,
): Promise<UpdateResult> {
  const triedAtMs = clock.nowMs();
  const tried = { ...before, triedAtMs, notBeforeMs: null };
  const good = { ...tried, goodAtMs: triedAtMs, failures: 0, error: null };
  const path = join(job.directory, order.file);
  try {
    mkdirSync(job.directory, { recursive: true });
    sweep(path);
    const known = job.force || !existsSync(path) ? [] : before.parts;
    const fetched = await fetchOrder(order, known, downloader, authorization);
    if (fetched === 'unchanged') return outcome(order, 'unchanged', 'the publisher has nothing newer', good);
    const bytes = await order.make(fetched.bytes);
    const candidate = candidateOf(order, await contentOf(path), bytes);
    const refusal = job.force ? null : refusalOf(candidate, job.settings.maxChange);
    if (refusal !== null) return outcome(order, 'refused', refusal, failed(tried, refusal), candidate);
    const fresh = { ...good, parts: fetched.versions };
    if (candidate.same) return outcome(order, 'unchanged', 'it is the same database', fresh, candidate);
    // A database that couldn't be read is nothing to go back to.
    await install(path, bytes, candidate.before !== null);
    const entry = { ...fresh, installedAtMs: triedAtMs };
    return outcome(order, 'installed', sentence(candidate, order), entry, candidate);
  } catch (error) {
    const message = (error as Error).message;
    const retryAfterMs = error instanceof DownloadError ? error.retryAfterMs : null;
    const notBeforeMs = retryAfterMs === null ? null : triedAtMs + retryAfterMs;
    const kind = error instanceof ContentError ? 'bad' : 'failed';
    return outcome(order, kind, message, { ...failed(tried, message), notBeforeMs });
  }
}

function failed(entry: Entry, error: string): Entry {
  return { ...entry, failures: entry.failures + 1, error };
}

/** A database that was fetched, beside the one in its place. */
interface Candidate {
  readonly after: Placed;
  /** null: there is none that can be read. */
  readonly before: Placed | null;
  readonly share: number | null;
  readonly same: boolean;
}

function candidateOf(order: Order, present: Buffer | null, bytes: Buffer): Candidate {
  const after = readPlaced(order.file, bytes);
  if (typeof after === 'string') throw new ContentError(`what was fetched can't be used: ${after}`);
  // One after the other: each needs much more memory while it is read than what is kept of it.
  const old = present === null ? null : readPlaced(order.file, present);
  const before = typeof old === 'string' ? null : old;
  const share = before === null ? null : shareChanged(before, after);
  return { after, before, share, same: present?.equals(bytes) ?? false };
}

function refusalOf({ before, after, share }: Candidate, maxChange: number): string | null {
  if (before === null || share === null) return null;
  if (after.builtAt < before.builtAt)
    return `it is older (built ${day(after.builtAt)}) than the one in its place (built ${day(before.builtAt)}): --force takes it all the same`;
  if (share <= maxChange) return null;
  return `${percent(share)} of the address space would change its country, more than max-change (${percent(maxChange)}): --force takes it all the same`;
}

function sentence({ before, after, share }: Candidate, order: Order): string {
  const built = `built ${day(after.builtAt)}`;
  if (before === null || share === null) return `${built}, the first`;
  return `${built}; ${percent(share)} of the address space changed its country; the one before is ${previousOf(order.file)}`;
}

function outcome(
  { file }: Order,
  kind: UpdateResult['outcome'],
  message: string,
  entry: Entry,
  candidate?: Candidate,
): UpdateResult {
  const { share = null, after } = candidate ?? {};
  return { file, outcome: kind, message, share, builtAt: after?.builtAt ?? null, entry };
}

function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2).replace(/\.?0+$/, '')}%`;
}
