// The probe for TCP services: connect, and if asked speak a line and listen for the answer, with or without TLS.
import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { limits } from '../base/limits.ts';
import type { TcpCheck } from '../zone/model.ts';
import { failed, failedBy, type Outcome, printable, succeeded, unready } from './outcome.ts';
import { searchFor, unmatched } from './pattern.ts';
import type { ProbeFunction } from './probe.ts';
import { certificateDays, connectTls, trustOf } from './tls.ts';

/**
 * Probes a TCP port. Without `expect` a connection (with TLS: a handshake) is enough; with it the first 64 KiB that the
 * backend sends must have the pattern somewhere.
 */
export const probeTcp: ProbeFunction<TcpCheck> = async (target, check, attempt) => {
  let context = null;
  if (check.tls) {
    try {
      context = await trustOf(check.caFile);
    } catch (error) {
      return unready('ca-file cannot be used', error);
    }
  }
  if (attempt.signal.aborted) return failed('timeout: no connection');
  return new Promise<Outcome>((resolve) => {
    const serverName = check.sni ?? target.name ?? target.address;
    const socket: Socket | TLSSocket = check.tls
      ? connectTls(target.address, check.port, { serverName, verify: check.verify, context, protocols: [] }, (reason) =>
          finish(failed(reason, printable(first), days)),
        ).socket
      : connect({ host: target.address, port: check.port, noDelay: true });
    const search = check.expect === null ? null : searchFor(check.expect);
    let connected = false;
    let days: number | null = null;
    /** The first bytes that came, and how many there were in how many reads. */
    let first: Buffer = Buffer.alloc(0);
    let size = 0;
    let reads = 0;
    const finish = (outcome: Outcome): void => {
      attempt.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const onAbort = (): void => {
      const missing = !connected ? 'no connection' : size > 0 ? 'answer does not match' : 'no answer';
      finish(failed(`timeout: ${missing}`, printable(first), days));
    };
    attempt.signal.addEventListener('abort', onAbort);
    socket.on('error', (error) => finish(failedBy(error, days)));
    socket.on(check.tls ? 'secureConnect' : 'connect', () => {
      connected = true;
      if (check.tls) days = certificateDays(socket as TLSSocket, attempt.clock.nowMs());
      if (check.send !== null) socket.write(check.send);
      if (search === null) finish(succeeded('', null, days));
    });
    if (search === null) return;
    socket.on('data', (chunk: Buffer) => {
      if (socket.destroyed) return;
      const piece = chunk.subarray(0, limits.probeBodyBytes - size);
      if (first.length < limits.probeEvidenceBytes)
        first = Buffer.concat([first, piece.subarray(0, limits.probeEvidenceBytes - first.length)]);
      size += piece.length;
      reads++;
      let found = search.push(piece);
      // What came so far may be all: `$` means that.
      if (found === 'more') found = search.end();
      if (found === 'match') finish(succeeded(printable(first), null, days));
      else if (found === 'too much work' || size >= limits.probeBodyBytes)
        finish(failed(unmatched('answer', found), printable(first), days));
      else if (reads >= limits.probeReads) finish(failed('answer in too many pieces', printable(first), days));
    });
    socket.on('end', () =>
      finish(failed(size > 0 ? 'answer does not match' : 'connection closed early', printable(first), days)),
    );
  });
};
