// What happened to the health of targets, told with the evidence.
import type { Verdict } from './state.ts';

export type HealthEventKind = 'flip' | 'flapping' | 'steady' | 'blackout' | 'blackout-end' | 'freeze' | 'thaw';

/** One thing that happened. Fields that a kind doesn't have are null or empty. */
export interface HealthEvent {
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly kind: HealthEventKind;
  /** `ZONE/POOL/ADDRESS`; null: all targets. */
  readonly target: string | null;
  /** The check's name. */
  readonly check: string | null;
  readonly from: Verdict | null;
  readonly to: Verdict | null;
  /** The last probe's reason, or the operator's. */
  readonly reason: string;
  /** What the backend said. */
  readonly evidence: string;
  readonly latencyMs: number | null;
  /** Who did it, for what was done by hand. */
  readonly by: string | null;
}
