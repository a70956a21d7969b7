// What happened to the health of targets, and to what is kept of it, told with the evidence.
import { z } from 'zod';

const KINDS = [
  'flip',
  'flapping',
  'steady',
  'blackout',
  'blackout-end',
  'freeze',
  'thaw',
  'state-unsaved',
  'state-saved',
] as const;

export type HealthEventKind = (typeof KINDS)[number];

const Verdict = z.enum(['up', 'down', 'unknown']);

/** An event as its line in the file of events must be. */
export const HealthEventSchema = z.object({
  /** Wall clock, milliseconds, within what a Date can hold. */
  atMs: z.number().min(0).max(8.64e15),
  kind: z.enum(KINDS),
  /** `ZONE/POOL/ADDRESS`; null: all targets. */
  target: z.string().nullable(),
  /** The check's name. */
  check: z.string().nullable(),
  from: Verdict.nullable(),
  to: Verdict.nullable(),
  /** The last probe's reason, or the operator's. */
  reason: z.string(),
  /** What the backend said. */
  evidence: z.string(),
  latencyMs: z.number().nullable(),
  /** Who did it, for what was done by hand. */
  by: z.string().nullable(),
});

/** One thing that happened. Fields that a kind doesn't have are null or empty. */
export type HealthEvent = Readonly<z.infer<typeof HealthEventSchema>>;

/** What became of storing. */
export function stateEvent(kind: 'state-unsaved' | 'state-saved', reason: string, atMs: number): HealthEvent {
  const none = { target: null, check: null, from: null, to: null, evidence: '', latencyMs: null, by: null };
  return { ...none, atMs, kind, reason };
}
