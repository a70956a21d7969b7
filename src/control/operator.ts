// What an operator does to targets by hand: force, unforce, freeze, thaw.
import {
  type ForceRequest,
  type PoolForced,
  RequestError,
  type StatusView,
  type TargetForced,
  type TargetView,
} from '../api/views.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { HealthClient } from '../health/client.ts';
import type { Serving } from '../loading/serving.ts';
import { longestTtlOf } from '../targets/drains.ts';
import { emptySets } from '../targets/fail-open.ts';
import type { Forced, ForcedStates } from '../targets/forced-states.ts';
import type { Targets } from '../targets/targets.ts';
import { frozenView } from './status.ts';

export interface OperatorParts {
  readonly serving: Serving;
  readonly targets: Targets;
  readonly forcedStates: ForcedStates;
  readonly health: HealthClient;
  readonly clock: Clock;
  readonly steadyMs: () => number;
  readonly log: Logger;
}

/** Each method throws (or rejects with) RequestError for what isn't there. What it did holds at once; whether it is stored is told. */
export class Operator {
  readonly #parts: OperatorParts;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /** `emptied`: the record sets that are left without a member that may be answered. */
  async forceTarget(id: string, request: ForceRequest): Promise<TargetForced> {
    this.#mustExist(id);
    const { zone, pool } = this.#parts.targets.get(id)!;
    const stored = this.#parts.forcedStates.force(id, this.#forced(request, zone, pool));
    this.#log(id, request.state, request.reason, request.by);
    const reply = { target: this.#view(id), emptied: this.#emptied() };
    return { ...reply, stored: await stored };
  }

  async unforceTarget(id: string, by: string): Promise<Omit<TargetForced, 'emptied'>> {
    this.#mustExist(id);
    const { lifted, stored } = this.#parts.forcedStates.unforce(id);
    if (lifted) this.#log(id, 'none', '', by);
    const target = this.#view(id);
    return { target, stored: await stored };
  }

  async forcePool(zone: string, pool: string, request: ForceRequest): Promise<PoolForced> {
    const ids = this.#mustHavePool(zone, pool);
    const stored = this.#parts.forcedStates.force(`${zone}/${pool}`, this.#forced(request, zone, pool));
    this.#log(`${zone}/${pool}`, request.state, request.reason, request.by);
    const reply = { targets: ids.map((id) => this.#view(id)), emptied: this.#emptied() };
    return { ...reply, stored: await stored };
  }

  async unforcePool(zone: string, pool: string, by: string): Promise<Omit<PoolForced, 'emptied'>> {
    const ids = this.#mustHavePool(zone, pool);
    const { lifted, stored } = this.#parts.forcedStates.unforce(`${zone}/${pool}`);
    if (lifted) this.#log(`${zone}/${pool}`, 'none', '', by);
    const targets = ids.map((id) => this.#view(id));
    return { targets, stored: await stored };
  }

  /** @param forMs how long; null: until the thaw; 0: thaw now */
  freeze(forMs: number | null, reason: string, by: string): StatusView['health']['frozen'] {
    const { health, clock } = this.#parts;
    if (forMs === 0) health.thaw(by);
    else health.freeze(forMs === null ? null : clock.nowMs() + forMs, reason, by);
    return frozenView(health.frozen());
  }

  #forced(request: ForceRequest, zone: string, pool: string): Forced {
    const now = this.#parts.clock.nowMs();
    const untilMs = request.forMs === null ? null : now + request.forMs;
    const forced = { state: request.state, untilMs, reason: request.reason, by: request.by, sinceMs: now };
    if (request.state !== 'drain') return forced;
    const metas = [...this.#parts.serving.zones.all.values()].flatMap((served) => served.meta ?? []);
    return { ...forced, longestTtlSeconds: longestTtlOf(metas, zone, pool) };
  }

  #log(what: string, state: string, reason: string, by: string): void {
    this.#parts.log.warn({ event: 'hand', what, state, reason, by }, 'forced by hand');
  }

  #mustExist(id: string): void {
    if (this.#parts.targets.get(id) === undefined) {
      throw new RequestError(404, 'unknown-target', `there is no target ${id}: GET /api/v1/health lists them`);
    }
  }

  #mustHavePool(zone: string, pool: string): string[] {
    const ids = this.#parts.targets.ofPool(zone, pool);
    if (ids.length === 0) throw new RequestError(404, 'unknown-pool', `there is no pool ${zone}/${pool} with members`);
    return ids;
  }

  #view(id: string): TargetView {
    return this.#parts.targets.view(id, this.#parts.steadyMs())!;
  }

  #emptied(): string[] {
    const { serving } = this.#parts;
    return [...serving.zones.all.values()].flatMap((zone) => emptySets(zone, serving));
  }
}
