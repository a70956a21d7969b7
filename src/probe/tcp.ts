// The probe for TCP services: connect, and if asked speak a line and listen for the answer, with or without TLS.
import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { limits } from '../base/limits.ts';
import type { TcpCheck } from '../zone/model.ts';
import { failed, failedBy, type Outcome, printable, succeeded } from './outcome.ts';
import { matches } from './pattern.ts';
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
      return failed('ca-file cannot be used', printable(String(error)));
    }
  }
  if (attempt.signal.aborted) return failed('timeout: no connection');
  return new Promise<Outcome>((resolve) => {
    const serverName = check.sni ?? target.name ?? target.address;
    const socket: Socket | TLSSocket = check.tls
      ? connectTls(target.address, check.port, { serverName, verify: check.verify, context, protocols: [] })
      : connect({ host: target.address, port: check.port, noDelay: true });
    let connected = false;
    let days: number | null = null;
    let chunks: Buffer[] = [];
    let size = 0;
    const finish = (outcome: Outcome): void => {
      attempt.signal.removeEventListener('abort', onAbort);
      chunks = [];
      socket.destroy();
      resolve(outcome);
    };
    const onAbort = (): void => {
      const missing = !connected ? 'no connection' : size > 0 ? 'answer does not match' : 'no answer';
      finish(failed(`timeout: ${missing}`, printable(Buffer.concat(chunks)), days));
    };
    attempt.signal.addEventListener('abort', onAbort);
    socket.on('error', (error) => finish(failedBy(error, days)));
    socket.on(check.tls ? 'secureConnect' : 'connect', () => {
      connected = true;
      if (check.tls) days = certificateDays(socket as TLSSocket, attempt.clock.nowMs());
      if (check.send !== null) socket.write(check.send);
      if (check.expect === null) finish(succeeded('', null, days));
    });
    const expect = check.expect;
    if (expect === null) return;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk.subarray(0, limits.probeBodyBytes - size));
      size += chunk.length;
      const data = Buffer.concat(chunks);
      chunks = [data];
      try {
        if (matches(expect, data, 'latin1')) finish(succeeded(printable(data), null, days));
        else if (size >= limits.probeBodyBytes) finish(failed('answer does not match', printable(data), days));
      } catch (error) {
        finish(failed('expect is no regular expression', printable(String(error))));
      }
    });
    socket.on('end', () =>
      finish(
        failed(size > 0 ? 'answer does not match' : 'connection closed early', printable(Buffer.concat(chunks)), days),
      ),
    );
  });
};
