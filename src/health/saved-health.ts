// Health from the file of the last run, without probing: what explain has to go by when no server is asked.

import { probeKey } from '../probe/key.ts';
import type { Check } from '../zone/model.ts';
import { healthOfCheck, type TargetHealth, type TargetSpec, unchecked } from './health.ts';
import { loadSaved, type Saved } from './saved.ts';

/** What the targets ask of health: the monitor, or what it saved. */
export interface HealthSource {
  setTargets(specs: readonly TargetSpec[]): void;
  health(id: string): TargetHealth | undefined;
}

const unknown: TargetHealth = { ...unchecked, verdict: 'unknown', secondsToFlip: 0 };

export class SavedHealth implements HealthSource {
  readonly #saved: Saved | null;
  #health = new Map<string, TargetHealth>();

  /** A file that isn't there or is damaged: every watched target is unknown, which counts as up. */
  constructor(file: string) {
    const saved = loadSaved(file);
    this.#saved = typeof saved === 'object' ? saved : null;
  }

  setTargets(specs: readonly TargetSpec[]): void {
    this.#health = new Map(specs.map((spec) => [spec.id, this.#of(spec)]));
  }

  health(id: string): TargetHealth | undefined {
    return this.#health.get(id);
  }

  #of({ address, check }: TargetSpec): TargetHealth {
    return check === null ? unchecked : healthOfCheck(check, (plain) => this.#plain(address, plain));
  }

  #plain(address: string, check: Check): TargetHealth {
    const leaf = this.#saved?.leaves[probeKey(address, check)];
    if (leaf === undefined) return unknown;
    const { verdict, sinceMs, failures, successes, flapping } = leaf.state;
    const { lastProbe, latencies } = leaf;
    return {
      ...unknown,
      verdict,
      sinceMs,
      failures,
      successes,
      flapping,
      lastProbe,
      latencies,
      load: lastProbe?.load ?? null,
    };
  }
}
