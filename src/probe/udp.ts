// The probe for UDP services: send a datagram, listen for the answer.
import { limits } from '../base/limits.ts';
import type { UdpCheck } from '../zone/model.ts';
import { converse } from './datagram.ts';
import { failed, type Outcome, printable, succeeded } from './outcome.ts';
import { prepare, searchFor, unmatched } from './pattern.ts';
import type { ProbeFunction } from './probe.ts';

/**
 * Probes a UDP service. A refused port is a failure at once, silence one at the deadline. An answer that doesn't match is
 * waited past: many services also send what nobody asked for.
 */
export const probeUdp: ProbeFunction<UdpCheck> = async (target, check, attempt) => {
  const { expect } = check;
  let work: number = limits.regexWork;
  prepare(expect);
  /** The last datagram that wasn't it, and why. */
  let wrong: { readonly data: Buffer; readonly reason: string } | null = null;
  return converse(target.address, check.port, attempt, {
    datagram: () => check.send,
    received: (data): Outcome | undefined => {
      if (expect === null) return succeeded(printable(data));
      const search = searchFor(expect, work);
      let found = search.push(data);
      if (found === 'more') found = search.end();
      work = search.left;
      if (found === 'match') return succeeded(printable(data));
      const reason = unmatched('answer', found);
      if (found === 'too much work') return failed(reason, printable(data));
      wrong = { data, reason };
      return undefined;
    },
    silent: () =>
      wrong === null ? failed('timeout: no answer') : failed(`timeout: ${wrong.reason}`, printable(wrong.data)),
  });
};
