// A check taken apart: what is probed, and how it adds up.
import { combine, type TargetHealth } from './health.ts';
import type { ProbeJob } from './probe-job.ts';

export type ProbeNode =
  | { readonly job: ProbeJob }
  | { readonly atLeast: number; readonly parts: readonly { readonly name: string; readonly node: ProbeNode }[] };

/** What its probes say now. */
export function healthOf(node: ProbeNode): TargetHealth {
  if ('job' in node) return node.job.health();
  return combine(
    node.parts.map((part) => ({ name: part.name, health: healthOf(part.node) })),
    node.atLeast,
  );
}
