// Tells what happened to targets: a line in the log and an event, each with the evidence.
import type { Clock } from '../base/clock.ts';
import type { EventLogger } from '../base/log.ts';
import type { HealthEvent } from './event.ts';
import type { TargetHealth, TargetSpec } from './health.ts';

export interface NewsOptions {
  readonly clock: Clock;
  readonly log: EventLogger;
  readonly onEvent: (event: HealthEvent) => void;
}

/** The one place that words the news. */
export class HealthLog {
  readonly #options: NewsOptions;

  constructor(options: NewsOptions) {
    this.#options = options;
  }

  /** A verdict changed. */
  flipped(spec: TargetSpec, from: TargetHealth['verdict'], health: TargetHealth): void {
    const { reason = '', evidence = '', latencyMs = null } = health.lastProbe ?? {};
    const to = health.verdict;
    const fields = {
      event: 'health-flip',
      target: spec.id,
      check: spec.check?.name,
      from,
      to,
      reason,
      evidence,
      latencyMs,
    };
    if (to === 'down') this.#options.log.warn(fields, 'target is down');
    // At a cold start thousands become up at once, which is no news.
    else this.#options.log[from === 'unknown' ? 'debug' : 'info'](fields, `target is ${to}`);
    this.#tell({ kind: 'flip', from, to, reason, evidence, latencyMs }, spec);
  }

  /** A target began to flap, or ended. */
  flapping(spec: TargetSpec, flapping: boolean): void {
    const kind = flapping ? 'flapping' : 'steady';
    const reason = flapping ? 'flips too often, is held down' : 'no longer flips too often';
    this.#options.log.warn({ event: `health-${kind}`, target: spec.id }, `target ${reason}`);
    this.#tell({ kind, reason }, spec);
  }

  /** So many targets fell in a blackout; their verdicts are held. */
  blackout(targets: number, holdMs: number): void {
    const seconds = Math.round(holdMs / 1000);
    const reason = `${targets} targets fell within one interval and no probe succeeds: is it this server's own network? Verdicts are held for ${seconds} s`;
    this.#options.log.error({ event: 'health-blackout', targets, seconds }, reason);
    this.#tell({ kind: 'blackout', reason });
  }

  /** A target that fell in the blackout is told as up again. */
  held(spec: TargetSpec): void {
    this.#tell({ kind: 'flip', from: 'down', to: 'up', reason: 'held by the blackout guard' }, spec);
  }

  frozen(untilMs: number | null, reason: string, by: string): void {
    this.#options.log.warn({ event: 'health-freeze', until: untilMs, reason, by }, 'verdicts are frozen');
    this.#tell({ kind: 'freeze', reason, by });
  }

  /** A freeze or a blackout's hold is over. */
  released(kind: 'thaw' | 'blackout-end', reason: string, by: string | null): void {
    this.#options.log.warn({ event: `health-${kind}`, by }, reason);
    this.#tell({ kind, reason, by });
  }

  /** A probe failed for want of something on this machine. */
  starved(probe: string, reason: string): void {
    this.#options.log.error(
      { event: 'health-probe-starved', probe, reason },
      'a probe could not be made for want of something on this machine',
    );
  }

  #tell(event: Partial<HealthEvent> & Pick<HealthEvent, 'kind' | 'reason'>, spec?: TargetSpec): void {
    const none = { atMs: this.#options.clock.nowMs(), from: null, to: null, evidence: '', latencyMs: null, by: null };
    this.#options.onEvent({ ...none, ...event, target: spec?.id ?? null, check: spec?.check?.name ?? null });
  }
}
