// What is known of a target's health, and how several checks of one target add up.

import { printable } from '../probe/outcome.ts';
import type { ProbeResult } from '../probe/probe.ts';
import type { Check } from '../zone/model.ts';
import type { Verdict } from './state.ts';

/** A member of a pool that may be probed. */
export interface TargetSpec {
  /** `ZONE/POOL/ADDRESS`. */
  readonly id: string;
  readonly zone: string;
  readonly pool: string;
  /** Canonical text of the address, or the absolute name with its final dot. */
  readonly address: string;
  readonly family: 4 | 6 | 'name';
  /** null: up, never probed. */
  readonly check: Check | null;
}

/** A target with its place on the board and what its load is measured by. */
export interface WatchedTarget extends TargetSpec {
  readonly slot: number;
  /** The pool's marks between which a loaded member sheds its weight; null: it never does. */
  readonly shed: readonly [low: number, high: number] | null;
  /** The report that means full; null: 1. */
  readonly capacity: number | null;
}

/** The verdict that was told of a target last, which a hold or a changed check may keep; `sinceMs` wall clock. */
export interface Told {
  readonly verdict: Verdict;
  readonly sinceMs: number | null;
}

/** A target's health as the rest of the program sees it. */
export interface TargetHealth {
  readonly verdict: Verdict;
  readonly sinceMs: number | null;
  /** Failures so far that count towards down. */
  readonly failures: number;
  /** Successes in a row so far. */
  readonly successes: number;
  readonly lastProbe: ProbeResult | null;
  readonly load: number | null;
  readonly flapping: boolean;
  /** Seconds until the verdict could change at the earliest; Infinity for a target without a check. */
  readonly secondsToFlip: number;
  /** Milliseconds of the last probes, oldest first, at most limits.probeHistory. */
  readonly latencies: readonly number[];
}

/** A target without a check. */
export const unchecked: TargetHealth = {
  verdict: 'up',
  sinceMs: null,
  failures: 0,
  successes: 0,
  lastProbe: null,
  load: null,
  flapping: false,
  secondsToFlip: Number.POSITIVE_INFINITY,
  latencies: [],
};

/**
 * The health of a combination: up when `atLeast` of the parts are, down when that can't be reached any more, else unknown.
 * It can flip when as many of its parts as it takes have flipped.
 */
export function combine(
  parts: readonly { readonly name: string; readonly health: TargetHealth }[],
  atLeast: number,
): TargetHealth {
  const all = parts.map((part) => part.health);
  const up = all.filter((part) => part.verdict === 'up');
  const down = all.filter((part) => part.verdict === 'down');
  const verdict = up.length >= atLeast ? 'up' : all.length - down.length < atLeast ? 'down' : 'unknown';
  const soonest = (list: TargetHealth[]): number[] => list.map((part) => part.secondsToFlip).sort((a, b) => a - b);
  const secondsToFlip =
    verdict === 'up'
      ? soonest(up)[up.length - atLeast]
      : verdict === 'down'
        ? // A part that is still unknown could be up any moment.
          [...soonest(all.filter((part) => part.verdict === 'unknown')).map(() => 0), ...soonest(down)][
            atLeast - up.length - 1
          ]
        : Math.min(...soonest(all));
  const loads = all.flatMap((part) => part.load ?? []);
  return {
    verdict,
    sinceMs: null,
    failures: Math.max(0, ...all.map((part) => part.failures)),
    successes: Math.min(...all.map((part) => part.successes)),
    lastProbe: combinedProbe(parts, atLeast),
    load: loads.length > 0 ? Math.max(...loads) : null,
    flapping: all.some((part) => part.flapping),
    secondsToFlip: secondsToFlip ?? 0,
    latencies: [],
  };
}

/** A target that is probed, and of which nothing is known. */
export const unknown: TargetHealth = { ...unchecked, verdict: 'unknown', secondsToFlip: 0 };

/** The checks with a probe of their own that a check consists of. */
export function plainChecks(check: Check): readonly Check[] {
  return check.probe.kind === 'combined' ? check.probe.of.flatMap(plainChecks) : [check];
}

/** The health of a check, put together from that of the plain checks that it is made of. */
export function healthOfCheck(check: Check, plain: (check: Check) => TargetHealth): TargetHealth {
  const { probe } = check;
  if (probe.kind !== 'combined') return plain(check);
  return combine(
    probe.of.map((part) => ({ name: part.name, health: healthOfCheck(part, plain) })),
    probe.atLeast,
  );
}

/** The last probes of the parts told as one: the parts' reasons, the slowest latency, the latest start. */
function combinedProbe(
  parts: readonly { readonly name: string; readonly health: TargetHealth }[],
  atLeast: number,
): ProbeResult | null {
  const probes = parts.flatMap(({ name, health }) =>
    health.lastProbe === null ? [] : [{ name, ...health.lastProbe }],
  );
  if (probes.length === 0) return null;
  const good = probes.filter((probe) => probe.ok).length;
  const days = probes.flatMap((probe) => probe.certificateDays ?? []);
  const loads = probes.flatMap((probe) => probe.load ?? []);
  return {
    ok: good >= atLeast,
    reason:
      good === parts.length
        ? 'ok'
        : `${good} of ${parts.length} ok: ${probes.map((probe) => `${probe.name}: ${probe.reason}`).join('; ')}`,
    evidence: printable(
      probes.flatMap((probe) => (probe.evidence === '' ? [] : `${probe.name}: ${probe.evidence}`)).join('; '),
    ),
    latencyMs: Math.max(...probes.map((probe) => probe.latencyMs)),
    atMs: Math.max(...probes.map((probe) => probe.atMs)),
    load: loads.length > 0 ? Math.max(...loads) : null,
    certificateDays: days.length > 0 ? Math.min(...days) : null,
  };
}
