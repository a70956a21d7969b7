// Which targets are probed by which jobs: targets with the same address and check share one.
import type { Clock } from '../base/clock.ts';
import { probeKey } from '../probe/key.ts';
import type { ProbeContext } from '../probe/probes.ts';
import type { Check } from '../zone/model.ts';
import type { TargetSpec } from './health.ts';
import { type PlainCheck, ProbeJob, type ProbeJobOwner } from './probe-job.ts';
import type { ProbeNode } from './probe-tree.ts';
import type { SavedProbe } from './saved.ts';
import type { Schedule } from './schedule.ts';

interface ProbeJobsOptions {
  readonly clock: Clock;
  /** Latencies that are kept of each job. */
  readonly history: number | undefined;
  readonly context: ProbeContext;
  readonly schedule: Schedule;
  readonly owner: ProbeJobOwner;
}

/** A target, with the jobs that its check consists of. */
interface User {
  readonly spec: TargetSpec;
  readonly jobs: readonly ProbeJob[];
}

export class ProbeJobs<T extends User> {
  readonly #options: ProbeJobsOptions;
  readonly #jobs = new Map<string, ProbeJob>();
  readonly #users = new Map<ProbeJob, Set<T>>();
  /** How many targets with a check have each address. */
  readonly #addresses = new Map<string, number>();
  /** What was restored and has not been taken up yet. */
  readonly #saved = new Map<string, SavedProbe>();

  constructor(options: ProbeJobsOptions) {
    this.#options = options;
  }

  /** Distinct addresses of targets with a check. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /** What was known of a job that doesn't run yet: it starts from it. */
  restore(key: string, saved: SavedProbe): void {
    if (!this.#jobs.has(key)) this.#saved.set(key, saved);
  }

  usersOf(job: ProbeJob): Iterable<T> {
    return this.#users.get(job) ?? [];
  }

  /** The check as a tree of jobs. All of them are added to `jobs`, those that are new to `fresh` as well: the caller schedules them. */
  node(spec: TargetSpec, check: Check, jobs: ProbeJob[], fresh: ProbeJob[]): ProbeNode {
    const { probe } = check;
    if (probe.kind === 'combined') {
      const parts = probe.of.map((part) => ({ name: part.name, node: this.node(spec, part, jobs, fresh) }));
      return { atLeast: probe.atLeast, parts };
    }
    const key = probeKey(spec.address, check);
    let job = this.#jobs.get(key);
    if (job === undefined) {
      const { clock, context, owner, history } = this.#options;
      job = new ProbeJob(key, spec.address, spec.family, check as PlainCheck, clock, context, owner, history);
      const saved = this.#saved.get(key);
      if (saved !== undefined) job.restore(saved.state, saved.lastProbe, saved.latencies);
      // Should it go and come back, this would be an old story.
      this.#saved.delete(key);
      this.#jobs.set(key, job);
      fresh.push(job);
    }
    jobs.push(job);
    return { job };
  }

  use(target: T): void {
    for (const job of target.jobs) {
      const users = this.#users.get(job);
      if (users === undefined) this.#users.set(job, new Set([target]));
      else users.add(target);
    }
    const { address, check } = target.spec;
    if (check !== null) this.#addresses.set(address, (this.#addresses.get(address) ?? 0) + 1);
  }

  /** The target uses its jobs no more; they run on until `dropUnused`. */
  unuse(target: T): void {
    for (const job of target.jobs) this.#users.get(job)?.delete(target);
    const { address, check } = target.spec;
    if (check === null) return;
    const left = this.#addresses.get(address)! - 1;
    if (left > 0) this.#addresses.set(address, left);
    else this.#addresses.delete(address);
  }

  /** Stops those of the jobs that nobody uses. */
  dropUnused(jobs: readonly ProbeJob[]): void {
    for (const job of jobs) {
      if (this.#users.get(job)?.size !== 0) continue;
      this.#users.delete(job);
      this.#jobs.delete(job.key);
      this.#options.schedule.remove(job);
      job.release();
      if (job.name !== null) this.#options.context.resolver.forget(job.name);
    }
  }

  /** Lets go of what the jobs hold open, at the end. */
  release(): void {
    for (const job of this.#jobs.values()) job.release();
  }
}
