// A short conversation in datagrams with one peer: sent again when nothing comes, ended by the first answer that counts.
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { limits } from '../base/limits.ts';
import { failed, failedBy, type Outcome } from './outcome.ts';
import type { Attempt } from './probe.ts';

/** What a probe says and how it takes the answers. */
export interface Conversation {
  /** The datagram of the nth sending, from 0. */
  datagram(sending: number): Uint8Array;
  /** An answer: an outcome ends the conversation, undefined waits on; `sendAgain` sends a datagram at once. */
  received(data: Buffer, sendAgain: () => void): Outcome | undefined;
  /** The deadline: what was missing. */
  silent(): Outcome;
}

/** Holds the conversation over a connected socket: only the peer's datagrams arrive, and a refusal (ICMP) is an error at once. */
export function converse(
  address: string,
  port: number,
  attempt: Attempt,
  conversation: Conversation,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    let over = false;
    let sendings = 0;
    let bytes = 0;
    let datagrams = 0;
    let cancel: (() => void) | undefined;
    const finish = (outcome: Outcome): void => {
      if (over) return;
      over = true;
      cancel?.();
      attempt.signal.removeEventListener('abort', onAbort);
      // A send that fails after this must not become an uncaught exception.
      socket.removeAllListeners('error').on('error', () => {});
      socket.close();
      resolve(outcome);
    };
    const onAbort = (): void => finish(conversation.silent());
    const send = (): void => {
      if (over) return;
      try {
        socket.send(conversation.datagram(sendings++), (error) => {
          if (error) finish(failedBy(error));
        });
      } catch (error) {
        finish(failedBy(error));
      }
    };
    const repeat = (): void => {
      if (sendings >= limits.probeSendings) return;
      cancel = attempt.clock.after(attempt.timeoutMs / limits.probeSendings, () => {
        send();
        repeat();
      });
    };
    if (attempt.signal.aborted) return onAbort();
    attempt.signal.addEventListener('abort', onAbort);
    socket.on('error', (error) => finish(failedBy(error)));
    socket.on('message', (data) => {
      if (over) return;
      bytes += data.length;
      datagrams++;
      let outcome: Outcome | undefined;
      try {
        outcome = conversation.received(data, send);
      } catch (error) {
        outcome = failedBy(error);
      }
      if (outcome !== undefined) finish(outcome);
      else if (bytes > limits.probeBodyBytes || datagrams >= limits.probeDatagrams)
        finish(failed('too many wrong answers'));
    });
    socket.on('connect', () => {
      send();
      repeat();
    });
    socket.connect(port, address);
  });
}
