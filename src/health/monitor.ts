// The health of all targets: runs their probes, keeps their verdicts, and tells what changes.
import type { Clock, Random } from '../base/clock.ts';
import type { EventLogger } from '../base/log.ts';
import { probeKey } from '../probe/key.ts';
import { ConfinedFiles } from '../probe/local-file.ts';
import type { ProbeResult } from '../probe/probe.ts';
import { type ProbeAddress, type ProbeContext, probeAddress } from '../probe/probes.ts';
import type { ProbeRules } from '../probe/reach.ts';
import { Resolver } from '../probe/resolve.ts';
import type { Lookup } from '../probe/system-names.ts';
import type { HealthEvent } from './event.ts';
import { type TargetHealth, type TargetSpec, type Told, unchecked } from './health.ts';
import { HealthLog } from './health-log.ts';
import { Hold } from './hold.ts';
import type { ProbeJob, ProbeJobOwner } from './probe-job.ts';
import { ProbeJobs } from './probe-jobs.ts';
import { healthOf, type ProbeNode } from './probe-tree.ts';
import type { Blackout, Freeze, SavedProbe } from './saved.ts';
import { Schedule, type ScheduleStats } from './schedule.ts';
import type { State } from './state.ts';

export interface MonitorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: EventLogger;
  readonly maxConcurrent: number;
  readonly blackoutHoldMs: number;
  /** What the settings allow, and where the admin is, which probes leave alone. */
  readonly rules: ProbeRules;
  /** Latencies that are kept of each probed thing; limits.probeHistory by default. */
  readonly history?: number;
  /** Called at once when a target is new, when its verdict, load or secondsToFlip changed, and after each probe that tells a load. */
  readonly onHealth: (id: string, health: TargetHealth) => void;
  readonly onEvent: (event: HealthEvent) => void;
  /** Called after each probe that counts, with the key of what was probed (probe/key.ts) and what is known of it now. */
  readonly onProbe?: (key: string, state: State, result: ProbeResult) => void;
  /** How names are resolved; the system by default. */
  readonly lookup?: Lookup;
  /** How addresses are probed; for tests. */
  readonly probe?: ProbeAddress;
}

interface Target {
  readonly spec: TargetSpec;
  readonly key: string;
  readonly node: ProbeNode | null;
  readonly jobs: readonly ProbeJob[];
  /** What was told last. */
  health: TargetHealth;
}

/** Watches targets. One for the whole program; all methods are to be called from one thread. */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #schedule: Schedule;
  readonly #context: { -readonly [key in keyof ProbeContext]: ProbeContext[key] };
  readonly #hold: Hold;
  readonly #healthLog: HealthLog;
  readonly #targets = new Map<string, Target>();
  readonly #jobs: ProbeJobs<Target>;
  readonly #unknown = new Set<Target>();
  #firstRoundWaiters: (() => void)[] = [];
  readonly #toldBefore = new Map<string, Told>();

  /** Probes start with `setTargets`. */
  constructor(options: MonitorOptions) {
    this.#options = options;
    const { clock, random, maxConcurrent, rules } = options;
    this.#schedule = new Schedule({ clock, random, maxConcurrent });
    this.#context = {
      rules,
      resolver: new Resolver(clock, options.lookup),
      files: new ConfinedFiles(),
      probe: options.probe ?? probeAddress,
    };
    const owner: ProbeJobOwner = {
      probed: (job, result) => this.#probed(job, result),
      starved: (job, reason) => this.#healthLog.starved(job.key, reason),
    };
    this.#jobs = new ProbeJobs({
      clock,
      history: options.history,
      context: this.#context,
      schedule: this.#schedule,
      owner,
    });
    this.#hold = new Hold({ clock, ended: (what) => this.#holdEnded(what) });
    this.#healthLog = new HealthLog(options);
  }

  /** Goes on with a freeze or a blackout of before. Call it before there are targets. */
  resume(freeze: Freeze | null, blackout: Blackout | null): void {
    if (freeze !== null) this.#hold.freeze(freeze);
    if (blackout !== null) this.#hold.resume(blackout);
  }

  /** What was known of probed things by key, and told of targets by id: new targets start from it. */
  restore(probes: Iterable<readonly [string, SavedProbe]>, told: Iterable<readonly [string, Told]>): void {
    for (const [key, saved] of probes) this.#jobs.restore(key, saved);
    for (const [id, before] of told) if (!this.#targets.has(id)) this.#toldBefore.set(id, before);
  }

  /** Where the admin listens from now on, which probes leave alone. */
  leaveAlone(admin: NonNullable<ProbeRules['admin']>): void {
    this.#context.rules = { ...this.#context.rules, admin };
  }

  /**
   * The targets from now on. What is equal to before (address and check) keeps its verdict and its schedule, what is new is probed at once,
   * what is gone is stopped at once.
   */
  setTargets(specs: readonly TargetSpec[]): void {
    const stay = new Set(specs.map((spec) => spec.id));
    this.change(
      specs,
      [...this.#targets.keys()].filter((id) => !stay.has(id)),
    );
  }

  /** Like `setTargets` for those targets that are new, have changed or are gone; all others stay as they are. */
  change(changed: readonly TargetSpec[], gone: readonly string[]): void {
    const fresh: ProbeJob[] = [];
    const before = new Map<string, Target>();
    for (const id of [...gone, ...changed.map((spec) => spec.id)]) {
      const target = this.#targets.get(id);
      if (target === undefined) continue;
      before.set(id, target);
      this.#unknown.delete(target);
      this.#jobs.unuse(target);
    }
    for (const id of gone) this.#targets.delete(id);
    for (const spec of changed) {
      const jobs: ProbeJob[] = [];
      const node = spec.check === null ? null : this.#jobs.node(spec, spec.check, jobs, fresh);
      const key = spec.check === null ? '' : probeKey(spec.address, spec.check);
      const target: Target = { spec, key, node, jobs, health: before.get(spec.id)?.health ?? unchecked };
      this.#targets.set(spec.id, target);
      this.#jobs.use(target);
    }
    for (const { jobs } of before.values()) this.#jobs.dropUnused(jobs);
    for (const spec of changed) {
      const target = this.#targets.get(spec.id)!;
      const old = before.get(spec.id);
      if (old !== undefined && (old.key === target.key || (target.node !== null && old.node !== null)))
        this.#refresh(target);
      else this.#introduce(target);
    }
    for (const job of fresh) this.#schedule.add(job);
    this.#toldBefore.clear();
    this.#settle();
  }

  /** Resolves when every target has a verdict; saved ones count at once. */
  firstRound(): Promise<void> {
    return new Promise((resolve) => {
      this.#firstRoundWaiters.push(resolve);
      this.#settle();
    });
  }

  /** How many targets have no verdict yet. */
  get open(): number {
    return this.#unknown.size;
  }

  /** A target's health as it is told: held while verdicts are frozen. */
  health(id: string): TargetHealth | undefined {
    return this.#targets.get(id)?.health;
  }

  *all(): IterableIterator<[id: string, health: TargetHealth]> {
    for (const [id, target] of this.#targets) yield [id, target.health];
  }

  /** Lets verdicts stand still until `untilMs` (wall clock; null: until `thaw`); probes go on. */
  freeze(untilMs: number | null, reason: string, by: string): void {
    this.#hold.freeze({ untilMs, reason, by });
    this.#healthLog.frozen(untilMs, reason, by);
  }

  /** Ends a freeze: verdicts are what the probes say. */
  thaw(by: string): void {
    if (this.#hold.frozen === null) return;
    this.#hold.thaw();
    this.#afterHold('thaw', 'the freeze was lifted', by);
  }

  frozen(): Freeze | null {
    return this.#hold.frozen;
  }

  /** The blackout whose verdicts are held, if there is one. */
  blackout(): Blackout | null {
    return this.#hold.blackout;
  }

  /** The schedule's figures, for metrics. */
  stats(): ScheduleStats {
    return this.#schedule.stats();
  }

  /** Ends all probes. */
  stop(): void {
    this.#schedule.stop();
    this.#hold.stop();
    this.#context.resolver.stop();
    this.#jobs.release();
  }

  // ---- Results ----------------------------------------------------------------------------------------------------

  #probed(job: ProbeJob, result: ProbeResult): void {
    if (result.ok) this.#hold.guard.succeeded();
    this.#options.onProbe?.(job.key, job.state, result);
    for (const target of this.#jobs.usersOf(job)) this.#refresh(target, true);
    this.#settle();
  }

  /** Works out a target's health anew and tells what changed. `fresh`: because of a probe, not of a reload or the end of a hold. */
  #refresh(target: Target, fresh = false): void {
    const old = target.health;
    const current = this.#told(target, old);
    target.health = current;
    const open = current.verdict === 'unknown' && target.node !== null && healthOf(target.node).verdict === 'unknown';
    if (open) this.#unknown.add(target);
    else this.#unknown.delete(target);
    const changed =
      current.verdict !== old.verdict || current.load !== old.load || current.secondsToFlip !== old.secondsToFlip;
    // A load that stays where it is goes on moving the weight: each report counts.
    if (changed || (fresh && current.load !== null)) {
      this.#options.onHealth(target.spec.id, current);
    }
    if (current.flapping !== old.flapping) this.#healthLog.flapping(target.spec, current.flapping);
    if (current.verdict === old.verdict) return;
    this.#healthLog.flipped(target.spec, old.verdict, current);
    if (fresh && !this.#hold.active && old.verdict === 'up' && current.verdict === 'down') this.#fell(target);
  }

  /** A target's health as it may be told now. */
  #told(target: Target, old: TargetHealth): TargetHealth {
    if (target.node === null) return unchecked;
    const health = healthOf(target.node);
    // In a hold verdicts stand still, but one that never was may become a good one. A check that was changed leaves the
    // verdict of the old one until its first probe is in.
    const keep = this.#hold.active
      ? old.verdict !== 'unknown' || health.verdict === 'down'
      : old.verdict !== 'unknown' && health.verdict === 'unknown';
    const verdict = keep ? old.verdict : health.verdict;
    const sinceMs = verdict === old.verdict ? old.sinceMs : (health.sinceMs ?? this.#options.clock.nowMs());
    return verdict === health.verdict ? { ...health, sinceMs } : { ...health, verdict, sinceMs, secondsToFlip: 0 };
  }

  /** A target that wasn't there before: its verdict is the saved one, that of an equal probe, or unknown. */
  #introduce(target: Target): void {
    if (target.node !== null) {
      const health = healthOf(target.node);
      const before = this.#toldBefore.get(target.spec.id);
      // As in #told: in a hold what was told stands, and the verdict of a check that was changed until a probe of the new one is in.
      const kept = this.#hold.active || health.verdict === 'unknown' ? before?.verdict : undefined;
      const verdict = kept ?? (this.#hold.active && health.verdict === 'down' ? 'unknown' : health.verdict);
      const since = verdict === before?.verdict ? (before.sinceMs ?? health.sinceMs) : health.sinceMs;
      const sinceMs = verdict === 'unknown' ? null : (since ?? this.#options.clock.nowMs());
      target.health = { ...health, verdict, sinceMs };
      if (health.verdict === 'unknown' && verdict === 'unknown') this.#unknown.add(target);
    }
    this.#options.onHealth(target.spec.id, target.health);
  }

  // ---- Blackout and freeze ------------------------------------------------------------------------------------------

  #fell(target: Target): void {
    const { clock, blackoutHoldMs } = this.#options;
    if (blackoutHoldMs <= 0) return;
    const { id: fell, address, check } = target.spec;
    const ids = this.#hold.guard.fell(fell, address, check!.intervalMs, clock.monotonicMs(), this.#jobs.addresses);
    if (ids === undefined) return;
    this.#hold.start(ids.length, clock.nowMs() + blackoutHoldMs);
    this.#healthLog.blackout(ids.length, blackoutHoldMs);
    for (const id of ids) {
      const fallen = this.#targets.get(id);
      if (fallen === undefined || fallen.health.verdict !== 'down') continue;
      fallen.health = { ...fallen.health, verdict: 'up', sinceMs: clock.nowMs(), secondsToFlip: 0 };
      this.#options.onHealth(id, fallen.health);
      this.#healthLog.held(fallen.spec);
    }
  }

  #holdEnded(what: 'freeze' | 'blackout'): void {
    if (what === 'freeze') this.#afterHold('thaw', 'the freeze is over', null);
    else this.#afterHold('blackout-end', 'the hold is over: verdicts are what the probes say', null);
  }

  #afterHold(kind: 'thaw' | 'blackout-end', reason: string, by: string | null): void {
    this.#healthLog.released(kind, reason, by);
    if (!this.#hold.active) for (const target of this.#targets.values()) this.#refresh(target);
  }

  #settle(): void {
    if (this.#unknown.size > 0) return;
    const waiters = this.#firstRoundWaiters;
    this.#firstRoundWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
