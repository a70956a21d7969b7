// Runs one probe as the monitor does: against an address, under a deadline.
import { systemClock } from '../../dist/base/clock.js';
import { type ProbeResult, runProbe } from '../../dist/probe/probe.js';
import { probeAddress, probeName } from '../../dist/probe/probes.js';
import { Resolver } from '../../dist/probe/resolve.js';
import type { Probe } from '../../dist/zone/model.js';

export interface TryOptions {
  readonly timeoutMs?: number;
  readonly address?: string;
  /** Probes this name instead of an address. */
  readonly name?: string;
  readonly controller?: AbortController;
  readonly kept?: Map<string, { destroy(): void }>;
  readonly allowExec?: boolean;
  /** Another time than now. */
  readonly nowMs?: () => number;
  readonly lookup?: (name: string) => Promise<readonly string[]>;
}

/** One try; what the probe keeps open is closed unless `kept` is given. */
export async function tryProbe(probe: Probe, options: TryOptions = {}): Promise<ProbeResult> {
  const {
    timeoutMs = 400,
    address = '127.0.0.1',
    name,
    controller = new AbortController(),
    kept = new Map(),
    allowExec = true,
  } = options;
  const clock = options.nowMs === undefined ? systemClock : { ...systemClock, nowMs: options.nowMs };
  const context = { allowExec, resolver: new Resolver(systemClock, options.lookup), probe: probeAddress };
  const { result } = await runProbe(
    (attempt) =>
      name === undefined
        ? probeAddress(probe, { address, name: null, kept }, attempt, context)
        : probeName(probe, name, kept, attempt, context),
    timeoutMs,
    clock,
    controller,
  );
  if (options.kept === undefined) for (const item of kept.values()) item.destroy();
  return result;
}
