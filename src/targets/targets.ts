// The targets of all zones: their health, what operators forced, and the operators' half of the board that carries both to answers.
import type { TargetView } from '../api/views.ts';
import { type Board, FORCED_DOWN, FORCED_DRAIN, FORCED_NONE, FORCED_UP } from '../board/board.ts';
import { relativeLoad } from '../health/health-board.ts';
import type { HealthSource } from '../health/saved-health.ts';
import type { Rows } from '../loading/memory.ts';
import type { PoolMeta, TargetMeta } from '../zone/meta.ts';
import type { Drains } from './drains.ts';
import { type Forced, type ForcedStates, forcedView } from './forced-states.ts';

const FORCED_STATES = { up: FORCED_UP, down: FORCED_DOWN, drain: FORCED_DRAIN } as const;

interface Target {
  readonly meta: TargetMeta;
  readonly slot: number;
  /** The marks of its pool, see WatchedTarget. */
  readonly shed: readonly [number, number] | null;
  /** When a drain of it was first seen, and how many answers had named it by then. */
  drainedAnswers: number | null;
}

export class Targets {
  readonly #board: Board;
  readonly #rows: Rows;
  readonly #drains: Drains;
  #forcedStates!: ForcedStates;
  #health!: HealthSource;
  #targets = new Map<string, Target>();

  /** `bind` follows before anything else. */
  constructor(parts: { board: Board; rows: Rows; drains: Drains }) {
    this.#board = parts.board;
    this.#rows = parts.rows;
    this.#drains = parts.drains;
  }

  /** Forced states tell of their changes here (`refresh`), so they are made after it. */
  bind(parts: { forcedStates: ForcedStates; health: HealthSource }): void {
    this.#forcedStates = parts.forcedStates;
    this.#health = parts.health;
  }

  /** Replaces the set of targets. Those that stay keep verdict and schedule. Returns the ids that are gone. */
  set(metas: Iterable<TargetMeta>, pools: Iterable<PoolMeta>): string[] {
    const shed = new Map<string, readonly [number, number]>();
    for (const pool of pools) if (pool.shed !== null) shed.set(`${pool.zone}/${pool.name}`, pool.shed);
    const next = new Map<string, Target>();
    for (const meta of metas) {
      if (next.has(meta.id)) continue;
      const old = this.#targets.get(meta.id);
      next.set(meta.id, {
        meta,
        slot: this.#board.slot(meta.id),
        shed: shed.get(`${meta.zone}/${meta.pool}`) ?? null,
        drainedAnswers: old?.drainedAnswers ?? null,
      });
    }
    const gone = [...this.#targets.keys()].filter((id) => !next.has(id));
    this.#targets = next;
    this.#health.setTargets(
      [...next.values()].map(({ meta, slot, shed: marks }) => {
        const { id, zone, pool, address, family, check, capacity } = meta;
        return { id, zone, pool, address, family, check, capacity, slot, shed: marks };
      }),
    );
    this.refresh();
    return gone;
  }

  /** Writes what is forced anew: after forced states changed. */
  refresh(): void {
    for (const target of this.#targets.values()) {
      const forced = this.#forced(target);
      if (forced?.state !== 'drain') target.drainedAnswers = null;
      else target.drainedAnswers ??= this.#rows.target(target.slot).answers;
      this.#board.force(target.slot, forced === null ? FORCED_NONE : FORCED_STATES[forced.state]);
    }
  }

  #forced(target: Target): Forced | null {
    return this.#forcedStates.of(target.meta.id, `${target.meta.zone}/${target.meta.pool}`);
  }

  get(id: string): TargetMeta | undefined {
    return this.#targets.get(id)?.meta;
  }

  slot(id: string): number | undefined {
    return this.#targets.get(id)?.slot;
  }

  ofPool(zone: string, pool: string): string[] {
    return [...this.#targets.values()]
      .filter((t) => t.meta.zone === zone && t.meta.pool === pool)
      .map((t) => t.meta.id);
  }

  /** @param nowMs by the clock of the notes (base/steady.ts) */
  view(id: string, nowMs: number): TargetView | undefined {
    const target = this.#targets.get(id);
    if (target === undefined) return undefined;
    const { meta } = target;
    const health = this.#health.health(id);
    const probe = health?.lastProbe ?? null;
    const forced = this.#forced(target);
    const noted = this.#rows.target(target.slot);
    return {
      id,
      zone: meta.zone,
      pool: meta.pool,
      address: meta.address,
      check: meta.check?.name ?? null,
      state: health?.verdict ?? 'unknown',
      forced: forcedView(forced),
      since: health?.sinceMs ? new Date(health.sinceMs).toISOString() : null,
      lastProbe:
        probe === null
          ? null
          : { ok: probe.ok, reason: probe.reason, latencyMs: probe.latencyMs, at: new Date(probe.atMs).toISOString() },
      drain:
        forced?.state === 'drain'
          ? this.#drains.view(id, forced, noted, this.#sinceDrain(target, noted.answers), nowMs)
          : null,
      load: relativeLoad(health?.load ?? null, meta.capacity),
      flapping: health?.flapping ?? false,
      latencies: health?.latencies ?? [],
    };
  }

  /** Answers of this run that named a drained target after it was drained. */
  #sinceDrain(target: Target, answers: number): number {
    return answers - (target.drainedAnswers ?? answers);
  }

  /** What the next run must know of answers that caches may still hold. */
  leave(nowMs: number): Promise<void> {
    const last = [...this.#targets.values()].map((target) => {
      const noted = this.#rows.target(target.slot);
      const drained = this.#forced(target)?.state === 'drain';
      return { ...noted, id: target.meta.id, sinceDrain: drained ? this.#sinceDrain(target, noted.answers) : -1 };
    });
    return this.#drains.leave(last, nowMs);
  }

  views(nowMs: number): TargetView[] {
    return [...this.#targets.keys()].map((id) => this.view(id, nowMs)!);
  }
}
