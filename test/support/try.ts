// Runs one probe as the monitor does: against an address, under a deadline.
import { systemClock } from '../../dist/base/clock.js';
import { ConfinedFiles } from '../../dist/probe/local-file.js';
import { type ProbeResult, runProbe } from '../../dist/probe/probe.js';
import { probeAddress, probeName } from '../../dist/probe/probes.js';
import type { ProbeRules } from '../../dist/probe/reach.js';
import { Resolver } from '../../dist/probe/resolve.js';
import type { Probe } from '../../dist/zone/model.js';

export interface TryOptions {
  readonly timeoutMs?: number;
  readonly address?: string;
  /** Probes this name instead of an address. */
  readonly name?: string;
  readonly controller?: AbortController;
  readonly kept?: Map<string, { destroy(): void }>;
  readonly rules?: Partial<ProbeRules>;
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
  } = options;
  const clock = options.nowMs === undefined ? systemClock : { ...systemClock, nowMs: options.nowMs };
  const rules = { exec: true, files: ['/'], linkLocal: false, admin: null, ...options.rules };
  const resolver = new Resolver(systemClock, options.lookup);
  const context = { rules, resolver, files: new ConfinedFiles(), probe: probeAddress };
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
