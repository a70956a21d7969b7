// One thing that is probed: an address and a check, with its state, whoever uses it.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Kept, ProbeResult } from '../probe/probe.ts';
import { runProbe } from '../probe/probe.ts';
import { type ProbeContext, probeName } from '../probe/probes.ts';
import type { Check, Probe } from '../zone/model.ts';
import type { TargetHealth } from './health.ts';
import type { Job } from './schedule.ts';
import { initialState, next, type State, type StateSettings, secondsToFlip } from './state.ts';

/** A check with a probe of its own (not a combination). */
export type PlainCheck = Check & { readonly probe: Probe };

/** What a probe job tells its owner after each probe. */
export interface ProbeJobOwner {
  probed(job: ProbeJob, result: ProbeResult): void;
  /** A probe failed for want of something on this machine; the verdict is left alone. */
  starved(job: ProbeJob, reason: string): void;
}

/** A probed thing. It is the job that the schedule runs. */
export class ProbeJob implements Job {
  readonly key: string;
  readonly check: PlainCheck;
  readonly intervalMs: number;
  readonly settings: StateSettings;
  readonly #address: string;
  readonly #name: string | null;
  readonly #clock: Clock;
  readonly #context: ProbeContext;
  readonly #owner: ProbeJobOwner;
  readonly #kept = new Map<string, Kept>();
  readonly #latencies: number[] = [];
  readonly #history: number;
  #gone = false;
  state: State = initialState;
  lastProbe: ProbeResult | null = null;

  constructor(
    key: string,
    address: string,
    family: 4 | 6 | 'name',
    check: PlainCheck,
    clock: Clock,
    context: ProbeContext,
    owner: ProbeJobOwner,
    history: number = limits.probeHistory,
  ) {
    this.key = key;
    this.check = check;
    this.intervalMs = Math.max(limits.probeIntervalMs, check.intervalMs);
    this.settings = {
      fall: check.fall,
      rise: check.rise,
      flapFlips: limits.flapFlips,
      flapWindowMs: limits.flapWindowMs,
    };
    this.#address = address;
    this.#name = family === 'name' ? address.replace(/\.$/, '') : null;
    this.#clock = clock;
    this.#context = context;
    this.#owner = owner;
    this.#history = history;
  }

  /** The name to resolve, or null for an address. */
  get name(): string | null {
    return this.#name;
  }

  suspect(): boolean {
    return this.state.probed === 'down';
  }

  async run(controller: AbortController): Promise<boolean> {
    const { probe, timeoutMs } = this.check;
    const { result, local } = await runProbe(
      (attempt) =>
        this.#name === null
          ? this.#context.probe(probe, { address: this.#address, name: null, kept: this.#kept }, attempt, this.#context)
          : probeName(probe, this.#name, this.#kept, attempt, this.#context),
      timeoutMs,
      this.#clock,
      controller,
    );
    if (this.#gone) {
      this.release();
      return false;
    }
    if (local) {
      this.#owner.starved(this, result.reason);
      return false;
    }
    this.state = next(this.state, result, this.settings);
    this.lastProbe = result;
    this.#latencies.push(result.latencyMs);
    if (this.#latencies.length > this.#history) this.#latencies.shift();
    this.#owner.probed(this, result);
    return this.check.fastRecheck && !result.ok && this.state.probed === 'up';
  }

  /** Its health, before any freeze. */
  health(): TargetHealth {
    const { state, lastProbe } = this;
    return {
      verdict: state.verdict,
      sinceMs: state.sinceMs,
      failures: state.failures,
      successes: state.successes,
      lastProbe,
      load: lastProbe?.load ?? null,
      flapping: state.flapping,
      secondsToFlip: secondsToFlip(state, state.verdict, this.settings, this.intervalMs),
      latencies: this.#latencies,
    };
  }

  /** Starts from what was saved. */
  restore(state: State, lastProbe: ProbeResult | null, latencies: readonly number[]): void {
    this.state = state;
    this.lastProbe = lastProbe;
    this.#latencies.splice(
      0,
      this.#latencies.length,
      ...latencies.slice(Math.max(0, latencies.length - this.#history)),
    );
  }

  /** Nobody uses it any more: closes what its probes kept open. */
  release(): void {
    this.#gone = true;
    for (const kept of this.#kept.values()) kept.destroy();
    this.#kept.clear();
  }
}
