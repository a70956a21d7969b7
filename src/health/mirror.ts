// What the control thread knows of health: follows what the health thread tells, for views, for the state file, and for that thread's successor.
import { limits } from '../base/limits.ts';
import { probeKey } from '../probe/key.ts';
import type { ProbeResult } from '../probe/probe.ts';
import { healthOfCheck, plainChecks, type TargetHealth, type Told, unchecked, type WatchedTarget } from './health.ts';
import type { HealthBatch, KnownTarget } from './messages.ts';
import type { Blackout, Freeze, Saved, SavedProbe } from './saved.ts';
import { healthOfProbe } from './saved-health.ts';
import { initialState, type State } from './state.ts';

interface Probed {
  state: State;
  lastProbe: ProbeResult | null;
  latencies: number[];
}

interface Entry {
  readonly target: WatchedTarget;
  /** Of its check; empty without one. */
  readonly key: string;
  told: Told | null;
}

export class HealthMirror {
  #targets = new Map<string, Entry>();
  #probes = new Map<string, Probed>();
  #saved: Saved | null = null;
  /** Whether there have been targets yet. */
  #begun = false;
  freeze: Freeze | null = null;
  blackout: Blackout | null = null;

  /** Begins with what an earlier run has saved. */
  restore(saved: Saved): void {
    this.#saved = saved;
    this.freeze = saved.freeze;
    this.blackout = saved.blackout;
  }

  /** The targets from now on. Returns what a health thread has to be told: the ids that are new or other than before, and those that are gone. */
  set(targets: readonly WatchedTarget[]): { changed: string[]; gone: string[] } {
    this.#begun = true;
    const before = this.#targets;
    const probes = this.#probes;
    this.#targets = new Map();
    this.#probes = new Map();
    const changed: string[] = [];
    for (const target of targets) {
      const { id, address, check } = target;
      const old = before.get(id);
      const key = check === null ? '' : probeKey(address, check);
      if (old === undefined || old.key !== key || !alike(old.target, target)) changed.push(id);
      this.#targets.set(id, { target, key, told: old?.told ?? this.#savedTold(id) });
      for (const part of check === null ? [] : plainChecks(check)) {
        const partKey = probeKey(address, part);
        if (!this.#probes.has(partKey)) this.#probes.set(partKey, probes.get(partKey) ?? this.#savedProbe(partKey));
      }
    }
    return { changed, gone: [...before.keys()].filter((id) => !this.#targets.has(id)) };
  }

  ids(): string[] {
    return [...this.#targets.keys()];
  }

  /** What a health thread must know of a target. */
  known(id: string): KnownTarget | undefined {
    const entry = this.#targets.get(id);
    if (entry === undefined) return undefined;
    const { target, told } = entry;
    const keys = target.check === null ? [] : plainChecks(target.check).map((check) => probeKey(target.address, check));
    const probes = keys.flatMap((key) => {
      const { state, lastProbe } = this.#probes.get(key)!;
      return state.probed === 'unknown' ? [] : [[key, { state, lastProbe, latencies: [] }] as const];
    });
    return { target, told, probes };
  }

  /** Takes in what the health thread tells. Returns whether the verdict of any target has changed. */
  apply({ probes, told }: Pick<HealthBatch, 'probes' | 'told'>): boolean {
    for (const [key, { state, result, latencies }] of probes) {
      const probed = this.#probes.get(key);
      if (probed === undefined) continue;
      probed.state = state;
      probed.lastProbe = result;
      probed.latencies.push(...latencies);
      if (probed.latencies.length > limits.probeHistory)
        probed.latencies.splice(0, probed.latencies.length - limits.probeHistory);
    }
    let flipped = false;
    for (const [id, verdict, sinceMs] of told) {
      const entry = this.#targets.get(id);
      if (entry === undefined) continue;
      flipped ||= entry.told?.verdict !== verdict;
      entry.told = { verdict, sinceMs };
    }
    return flipped;
  }

  /** A target's health as it is told. */
  health(id: string): TargetHealth | undefined {
    const entry = this.#targets.get(id);
    if (entry === undefined) return undefined;
    const { target, told } = entry;
    if (target.check === null) return unchecked;
    const health = healthOfCheck(target.check, (check) =>
      healthOfProbe(this.#probes.get(probeKey(target.address, check))),
    );
    return told === null ? health : { ...health, ...told };
  }

  /** For the state file; null: nothing is known yet. */
  snapshot(nowMs: number): Saved | null {
    if (!this.#begun) return null;
    const { freeze, blackout } = this;
    const leaves = Object.fromEntries([...this.#probes].filter(([, { state }]) => state.probed !== 'unknown'));
    const held = this.#holds
      ? Object.fromEntries([...this.#targets].map(([id, { told }]) => [id, told?.verdict ?? 'unknown']))
      : {};
    return { format: 'meridian-health/1', savedAtMs: nowMs, freeze, blackout, held, leaves };
  }

  get #holds(): boolean {
    return this.freeze !== null || this.blackout !== null;
  }

  /** What was told when verdicts were held and the last run ended. */
  #savedTold(id: string): Told | null {
    const verdict = this.#holds ? this.#saved?.held[id] : undefined;
    return verdict === undefined ? null : { verdict, sinceMs: null };
  }

  #savedProbe(key: string): Probed {
    const saved: SavedProbe | undefined = this.#saved?.leaves[key];
    // Should it go and come back, this would be an old story.
    if (saved !== undefined) delete (this.#saved!.leaves as Record<string, SavedProbe>)[key];
    const { state, lastProbe, latencies } = saved ?? { state: initialState, lastProbe: null, latencies: [] };
    return { state, lastProbe, latencies: latencies.slice(-limits.probeHistory) };
  }
}

/** Whether two targets with equal probes are the same to a health thread. */
function alike(a: WatchedTarget, b: WatchedTarget): boolean {
  return (
    a.slot === b.slot &&
    a.capacity === b.capacity &&
    a.shed?.[0] === b.shed?.[0] &&
    a.shed?.[1] === b.shed?.[1] &&
    a.check?.name === b.check?.name
  );
}
