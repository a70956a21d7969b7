// The contract of every probe: one try against one target, which ends in time with one result and never throws.
import type { Clock } from '../base/clock.ts';
import { failed, failedBy, type Outcome } from './outcome.ts';

/** Something that a probe keeps open between its tries (a connection that is reused). */
export interface Kept {
  destroy(): void;
}

/** Whom to probe. */
export interface ProbeTarget {
  /** An IP address as text. */
  readonly address: string;
  /** The member's name without its final dot, when it is one (CNAME): the default of SNI and Host. */
  readonly name: string | null;
  /** What probes of this target leave open for the next try, by a key of their own; destroyed with the target. */
  readonly kept: Map<string, Kept>;
}

/** One try's frame. */
export interface Attempt {
  /** Aborted when the time is up (`reason === deadline`) or the target is gone: end at once with what is known. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** One try: resolves with an outcome, never rejects, and resolves in the same turn in which `attempt.signal` aborts. */
export type ProbeFunction<C> = (target: ProbeTarget, check: C, attempt: Attempt) => Promise<Outcome>;

/** What one probe found. */
export interface ProbeResult {
  readonly ok: boolean;
  /** A few words: `ok`, `connection refused`, `status 503`, `timeout: no response`. */
  readonly reason: string;
  /** What the backend said: status, first bytes; printable, at most limits.probeEvidenceBytes. */
  readonly evidence: string;
  readonly latencyMs: number;
  /** Wall clock at the start of the try, milliseconds. */
  readonly atMs: number;
  /** Load that the backend told, 0 is idle and 1 is full; null: not asked or not told. */
  readonly load: number | null;
  /** Whole days until the certificate expires (negative: since); null: no TLS. */
  readonly certificateDays: number | null;
}

/** Abort reason of a try whose time is up. */
export const deadline: unique symbol = Symbol('deadline');

/**
 * Runs one try under a deadline. `controller` is the try's own: it is aborted with `deadline` after `timeoutMs`, or by
 * the caller when the target goes. Always resolves: a probe that ignores its signal is left behind, one that throws has failed.
 */
export async function runProbe(
  start: (attempt: Attempt) => Promise<Outcome>,
  timeoutMs: number,
  clock: Clock,
  controller: AbortController,
): Promise<{ result: ProbeResult; local: boolean }> {
  const atMs = clock.nowMs();
  const startMs = clock.monotonicMs();
  let cancel: (() => void) | undefined;
  const outcome = await new Promise<Outcome>((resolve) => {
    let extended = false;
    const expire = (): void => {
      // When this thread was held up, the answer may be waiting in the socket: the time that we slept is no fault of the
      // backend and is given once more.
      const lateMs = clock.monotonicMs() - startMs - timeoutMs;
      if (lateMs > timeoutMs / 4 && !extended) {
        extended = true;
        cancel = clock.after(Math.min(lateMs, timeoutMs), expire);
        return;
      }
      // Timers run before sockets are read: one look at them first.
      cancel = undefined;
      setImmediate(() => {
        controller.abort(deadline);
        // The probe knows best what was missing and has just been told; this is for one that didn't listen.
        setImmediate(() => resolve(failed('timeout')));
      });
    };
    cancel = clock.after(timeoutMs, expire);
    try {
      start({ signal: controller.signal, timeoutMs, clock }).then(resolve, (error: unknown) => resolve(broken(error)));
    } catch (error) {
      resolve(broken(error));
    }
  });
  cancel?.();
  const { ok, reason, evidence, load, certificateDays } = outcome;
  const latencyMs = Math.round((clock.monotonicMs() - startMs) * 100) / 100;
  return { result: { ok, reason, evidence, latencyMs, atMs, load, certificateDays }, local: outcome.local };
}

function broken(error: unknown): Outcome {
  const outcome = failedBy(error);
  return outcome.local ? outcome : failed(`probe error: ${error instanceof Error ? error.message : String(error)}`);
}
