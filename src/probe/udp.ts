// The probe for UDP services: send a datagram, listen for the answer.
import type { UdpCheck } from '../zone/model.ts';
import { converse } from './datagram.ts';
import { failed, type Outcome, printable, succeeded } from './outcome.ts';
import { matches } from './pattern.ts';
import type { ProbeFunction } from './probe.ts';

/**
 * Probes a UDP service. A refused port is a failure at once, silence one at the deadline. An answer that doesn't match is
 * waited past: many services also send what nobody asked for.
 */
export const probeUdp: ProbeFunction<UdpCheck> = (target, check, attempt) => {
  let wrong: Buffer | null = null;
  return converse(target.address, check.port, attempt, {
    datagram: () => check.send,
    received: (data): Outcome | undefined => {
      try {
        if (check.expect === null || matches(check.expect, data, 'latin1')) return succeeded(printable(data));
      } catch (error) {
        return failed('expect is no regular expression', printable(String(error)));
      }
      wrong = data;
      return undefined;
    },
    silent: () =>
      wrong === null ? failed('timeout: no answer') : failed('timeout: answer does not match', printable(wrong)),
  });
};
