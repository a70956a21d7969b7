// Verdicts that outlive a restart: written aside, synced, renamed; a file that isn't whole is as good as none.

import { readFileSync } from 'node:fs';
import { storeStable } from '../base/stable-file.ts';
import type { ProbeResult } from '../probe/probe.ts';
import type { State } from './state.ts';

/** What is kept of one probed thing. */
export interface SavedProbe {
  readonly state: State;
  readonly lastProbe: ProbeResult | null;
  readonly latencies: readonly number[];
}

/** A freeze by hand. */
export interface Freeze {
  /** Wall clock; null: until it is lifted. */
  readonly untilMs: number | null;
  readonly reason: string;
  readonly by: string;
}

/** A blackout whose verdicts are held; both times wall clock. */
export interface Blackout {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly targets: number;
}

/** The file's content. */
export interface Saved {
  readonly format: 'meridian-health/1';
  readonly savedAtMs: number;
  readonly freeze: Freeze | null;
  readonly blackout: Blackout | null;
  /** What was told of targets while their verdicts were held, by id: a hold outlives a restart. */
  readonly held: Readonly<Record<string, 'up' | 'down' | 'unknown'>>;
  readonly leaves: Readonly<Record<string, SavedProbe>>;
}

/** Reads the file. Returns undefined when there is none, or a text that says what is wrong with it. */
export function loadSaved(file: string): Saved | string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return (error as { code?: string }).code === 'ENOENT' ? undefined : String(error);
  }
  try {
    const saved = JSON.parse(text) as Saved;
    if (saved?.format !== 'meridian-health/1' || !isMap(saved.leaves)) return 'not a file of health verdicts';
    const leaves = Object.fromEntries(Object.entries(saved.leaves).filter(([, leaf]) => isSavedProbe(leaf)));
    return {
      ...saved,
      freeze: isFreeze(saved.freeze) ? saved.freeze : null,
      blackout: isBlackout(saved.blackout) ? saved.blackout : null,
      held: isMap(saved.held) ? saved.held : {},
      leaves,
    };
  } catch (error) {
    return String(error);
  }
}

/** Writes the file so that at every moment the old or the new one is there whole. Rejects with the file system's error. */
export async function storeSaved(file: string, saved: Saved): Promise<void> {
  await storeStable(file, JSON.stringify(saved), { mode: 0o640 });
}

const VERDICTS: readonly unknown[] = ['up', 'down', 'unknown'];

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSavedProbe(value: unknown): value is SavedProbe {
  if (!isMap(value) || !isMap(value.state)) return false;
  const { state, lastProbe, latencies } = value;
  return (
    VERDICTS.includes(state.verdict) &&
    VERDICTS.includes(state.probed) &&
    isCount(state.failures) &&
    isCount(state.successes) &&
    (state.sinceMs === null || Number.isFinite(state.sinceMs)) &&
    typeof state.flapping === 'boolean' &&
    isNumbers(state.flips) &&
    isNumbers(latencies) &&
    (lastProbe === null ||
      (isMap(lastProbe) &&
        typeof lastProbe.ok === 'boolean' &&
        typeof lastProbe.reason === 'string' &&
        Number.isFinite(lastProbe.atMs)))
  );
}

function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => Number.isFinite(item));
}

function isFreeze(value: unknown): value is Freeze {
  return (
    isMap(value) &&
    (value.untilMs === null || Number.isFinite(value.untilMs)) &&
    typeof value.reason === 'string' &&
    typeof value.by === 'string'
  );
}

function isBlackout(value: unknown): value is Blackout {
  return isMap(value) && Number.isFinite(value.sinceMs) && Number.isFinite(value.untilMs) && isCount(value.targets);
}
