// Which probe a check's kind means, and how a name is probed at its addresses.
import type { Probe } from '../zone/model.ts';
import { probeDns } from './dns.ts';
import { probeExec } from './exec.ts';
import { probeFile } from './file.ts';
import { probeHttp } from './http.ts';
import type { ConfinedFiles } from './local-file.ts';
import { failed, type Outcome, printable, unready } from './outcome.ts';
import type { Attempt, ProbeTarget } from './probe.ts';
import { type ProbeRules, refusalOf } from './reach.ts';
import type { Resolver } from './resolve.ts';
import { probeTcp } from './tcp.ts';
import { probeUdp } from './udp.ts';
import { probeWireguard } from './wireguard.ts';

/** What the settings allow and what probes share. */
export interface ProbeContext {
  readonly rules: ProbeRules;
  readonly resolver: Resolver;
  readonly files: ConfinedFiles;
  /** How one address is tried: `probeAddress`, or a test's stand-in. */
  readonly probe: ProbeAddress;
}

/** One try of `probe` against one address. */
export type ProbeAddress = (
  probe: Probe,
  target: ProbeTarget,
  attempt: Attempt,
  context: Pick<ProbeContext, 'rules' | 'files'>,
) => Promise<Outcome>;

/** One try of `probe` against one address, over the network (or whatever its kind means). */
export const probeAddress: ProbeAddress = (probe, target, attempt, context) => {
  const refusal = 'port' in probe ? refusalOf(target.address, probe.port, context.rules) : null;
  if (refusal !== null) return Promise.resolve(failed(refusal));
  switch (probe.kind) {
    case 'http':
      return probeHttp(target, probe, attempt);
    case 'tcp':
      return probeTcp(target, probe, attempt);
    case 'udp':
      return probeUdp(target, probe, attempt);
    case 'dns':
      return probeDns(target, probe, attempt);
    case 'wireguard':
      return probeWireguard(target, probe, attempt);
    case 'exec':
      return context.rules.exec
        ? probeExec(target, probe, attempt)
        : Promise.resolve(failed('exec checks are off in the settings'));
    case 'file':
      return probeFile(target, probe, attempt, context.files, context.rules.files);
  }
};

/**
 * One try against a name: good when one of its addresses is. They are tried in turns of both families, the next when one has failed or
 * after its share of the time (RFC 8305, happy eyeballs, with more patience).
 */
export async function probeName(
  probe: Probe,
  name: string,
  kept: ProbeTarget['kept'],
  attempt: Attempt,
  context: ProbeContext,
): Promise<Outcome> {
  // What doesn't speak to the member's address needs none.
  if (probe.kind === 'exec' || probe.kind === 'file')
    return context.probe(probe, { address: name, name, kept }, attempt, context);
  let addresses: readonly string[];
  try {
    addresses = await untilAborted(context.resolver.resolve(name, attempt.timeoutMs / 4), attempt.signal);
  } catch (error) {
    return unready('name does not resolve', error);
  }
  if (addresses.length === 0) return failed('timeout: name not resolved');
  return new Promise((resolve) => {
    // Tries that are still under way when one has decided must end too, or their sockets would stay.
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(attempt.signal.reason);
    attempt.signal.addEventListener('abort', onAbort, { once: true });
    if (attempt.signal.aborted) onAbort();
    const inner = { ...attempt, signal: controller.signal };
    let open = 0;
    let tried = 0;
    let over = false;
    /** What the backend is to blame for says more than what this machine is. */
    let blamed: Outcome | null = null;
    let cancel: (() => void) | undefined;
    const tryNext = (): void => {
      cancel?.();
      if (over || tried === addresses.length) return;
      const address = addresses[tried++]!;
      open++;
      if (tried < addresses.length) cancel = attempt.clock.after(attempt.timeoutMs / (addresses.length + 1), tryNext);
      void context.probe(probe, { address, name, kept }, inner, context).then((outcome) => {
        open--;
        if (over) return;
        if (!outcome.ok && !outcome.local)
          blamed = { ...outcome, evidence: printable(`${address}: ${outcome.evidence}`) };
        over = outcome.ok || (open === 0 && tried === addresses.length) || attempt.signal.aborted;
        if (!over) return tryNext();
        cancel?.();
        resolve(outcome.ok ? outcome : (blamed ?? outcome));
        attempt.signal.removeEventListener('abort', onAbort);
        controller.abort();
      });
    };
    tryNext();
  });
}

/** The promise's value, or an empty list as soon as the signal aborts. */
function untilAborted(promise: Promise<readonly string[]>, signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    promise.then(resolve, reject);
    signal.addEventListener('abort', () => resolve([]), { once: true });
  });
}
