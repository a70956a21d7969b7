// Verdicts that outlive a restart: the file's content, of which each entry counts by itself.
import { z } from 'zod';
import { joinEntries, parseDamaged, sortEntries } from '../base/state-entries.ts';
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

/** Entries that this version can't read: they are written back as they stand, unless there is a newer word on the same thing. */
export interface Unread {
  readonly held: ReadonlyMap<string, unknown>;
  readonly leaves: ReadonlyMap<string, unknown>;
}

const Verdict = z.enum(['up', 'down', 'unknown']);
/** Times that a Date can hold. */
const TimeMs = z.number().min(0).max(8.64e15);
const Count = z.number().int().min(0);

const SavedProbeSchema: z.ZodType<SavedProbe> = z.object({
  state: z.object({
    verdict: Verdict,
    probed: Verdict,
    failures: Count,
    successes: Count,
    sinceMs: TimeMs.nullable(),
    flips: z.array(z.number()),
    flapping: z.boolean(),
  }),
  lastProbe: z
    .object({
      ok: z.boolean(),
      reason: z.string(),
      evidence: z.string().default(''),
      latencyMs: z.number(),
      atMs: TimeMs,
      load: z.number().nullable().default(null),
      certificateDays: z.number().nullable().default(null),
    })
    .nullable(),
  latencies: z.array(z.number()),
});

const FreezeSchema = z.object({ untilMs: TimeMs.nullable(), reason: z.string(), by: z.string() });
const BlackoutSchema = z.object({ sinceMs: TimeMs, untilMs: TimeMs, targets: Count });
const Whole = z.object({
  format: z.literal('meridian-health/1'),
  savedAtMs: TimeMs.catch(0),
  freeze: z.unknown().optional(),
  blackout: z.unknown().optional(),
  held: z.unknown().optional(),
  leaves: z.unknown().optional(),
});

/** Reads the file's text: see StateFile. Throws when it is no file of verdicts. */
export function readSaved(
  text: string,
  damage: (reason: string, aside: boolean) => void,
): { readonly saved: Saved; readonly unread: Unread } {
  const { value, whole } = parseDamaged(text);
  const file = Whole.parse(value);
  const held = sortEntries(file.held ?? {}, Verdict);
  const leaves = sortEntries(file.leaves ?? {}, SavedProbeSchema);
  const freeze = FreezeSchema.nullish().safeParse(file.freeze);
  const blackout = BlackoutSchema.nullish().safeParse(file.blackout);
  if (!whole) damage('it is damaged; what its beginning says counts', true);
  const unread = held.unknown.size + leaves.unknown.size;
  if (unread > 0) damage(`${unread} entries cannot be read: what they are about is probed anew`, false);
  if (!freeze.success || !blackout.success) damage('the freeze or blackout in it cannot be read: verdicts move', true);
  const saved: Saved = {
    format: file.format,
    savedAtMs: file.savedAtMs,
    freeze: (freeze.success && freeze.data) || null,
    blackout: (blackout.success && blackout.data) || null,
    held: Object.fromEntries(held.known),
    leaves: Object.fromEntries(leaves.known),
  };
  return { saved, unread: { held: held.unknown, leaves: leaves.unknown } };
}

/** The file's text. */
export function writeSaved(saved: Saved, { held, leaves }: Unread): string {
  return JSON.stringify({
    ...saved,
    held: joinEntries(Object.entries(saved.held), held),
    leaves: joinEntries(Object.entries(saved.leaves), leaves),
  });
}
