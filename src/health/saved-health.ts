// Health from the file of the last run, without probing: what explain has to go by when no server is asked.
import { probeKey } from '../probe/key.ts';
import { healthOfCheck, type TargetHealth, unchecked, unknown, type WatchedTarget } from './health.ts';
import { HealthBoard } from './health-board.ts';
import type { Saved, SavedProbe } from './saved.ts';

/** What the targets ask of health: the health thread's mirror, or what it saved. It writes its half of the board by itself. */
export interface HealthSource {
  setTargets(targets: readonly WatchedTarget[]): void;
  health(id: string): TargetHealth | undefined;
}

export class SavedHealth implements HealthSource {
  readonly #saved: Saved | null;
  readonly #board: HealthBoard;
  #health = new Map<string, TargetHealth>();

  /** A file that isn't there or is damaged: every watched target is unknown, which counts as up. */
  constructor(saved: Saved | null, board: SharedArrayBuffer) {
    this.#saved = saved;
    this.#board = new HealthBoard(board);
  }

  setTargets(targets: readonly WatchedTarget[]): void {
    this.#health = new Map(targets.map((target) => [target.id, this.#of(target)]));
    for (const target of targets) {
      this.#board.set(target);
      this.#board.write(target.id, this.#health.get(target.id)!);
    }
  }

  health(id: string): TargetHealth | undefined {
    return this.#health.get(id);
  }

  #of({ address, check }: WatchedTarget): TargetHealth {
    if (check === null) return unchecked;
    return healthOfCheck(check, (plain) => healthOfProbe(this.#saved?.leaves[probeKey(address, plain)]));
  }
}

/** The health that what is kept of a probed thing amounts to. */
export function healthOfProbe(probe: SavedProbe | undefined): TargetHealth {
  if (probe === undefined) return unknown;
  const { verdict, sinceMs, failures, successes, flapping } = probe.state;
  const { lastProbe, latencies } = probe;
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
