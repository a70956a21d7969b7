// The probe for HTTP and HTTPS: one request, judged by status, body and certificate.
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import { limits } from '../base/limits.ts';
import type { HttpCheck } from '../zone/model.ts';
import { loadOf } from './load.ts';
import { failed, failedBy, type Outcome, printable, succeeded } from './outcome.ts';
import { matches } from './pattern.ts';
import type { Attempt, Kept, ProbeFunction, ProbeTarget } from './probe.ts';
import { certificateDays, connectTls, trustOf } from './tls.ts';

/** undici reads `servername`, but its types don't tell; without it the Host header would be the server name. */
type Request = Dispatcher.DispatchOptions & { servername?: string };

/** What the last connection of a client showed. */
interface Seen {
  certificateDays: number | null;
  /** How many requests its connection has served before this one. */
  reused: boolean;
  connected: boolean;
  /** The response is whole: over HTTP/1.1 undici closes the connection by itself, unless it is to be reused. */
  whole: boolean;
}

/** What a client's last connection ends with when we end it. */
const DONE = new Error('the probe is done');

interface Line extends Kept {
  readonly client: Client;
  readonly seen: Seen;
}

/**
 * Probes a web server: the response, or its first 64 KiB, must be in before the deadline. Redirects are not followed: a 302 is a status
 * like any other. With `reuse` the connection stays open between tries.
 */
export const probeHttp: ProbeFunction<HttpCheck> = async (target, check, attempt) => {
  const first = await tryOnce(target, check, attempt);
  // A kept connection that the server closed while the request was on its way proves nothing: ask once more on a new one.
  return first === 'stale' ? ((await tryOnce(target, check, attempt)) as Outcome) : first;
};

async function tryOnce(target: ProbeTarget, check: HttpCheck, attempt: Attempt): Promise<Outcome | 'stale'> {
  const host = check.host ?? target.name ?? (isIPv6(target.address) ? `[${target.address}]` : target.address);
  const serverName = check.sni ?? withoutPort(host);
  const key = `http ${target.address}`;
  let line = target.kept.get(key) as Line | undefined;
  const wasKept = line !== undefined;
  if (line === undefined) {
    try {
      line = await openLine(target, check, attempt, serverName);
    } catch (error) {
      return failed('ca-file cannot be used', printable(String(error)));
    }
    if (check.reuse) target.kept.set(key, line);
  }
  line.seen.reused = wasKept;
  const outcome = await ask(line, check, attempt, host, serverName);
  if (!check.reuse || outcome === 'stale' || !outcome.ok) {
    target.kept.delete(key);
    // Closing costs undici three errors with their stack traces, a fifth of the whole probe.
    if (!line.seen.whole || check.reuse || check.version === '2') line.destroy();
  }
  return outcome;
}

async function openLine(target: ProbeTarget, check: HttpCheck, attempt: Attempt, serverName: string): Promise<Line> {
  const context = check.tls ? await trustOf(check.caFile) : null;
  const seen: Seen = { certificateDays: null, reused: false, connected: false, whole: false };
  const two = check.version === '2';
  const open = (callback: (error: Error | null, socket: Socket | null) => void): void => {
    const socket: Socket | TLSSocket = check.tls
      ? connectTls(target.address, check.port, {
          serverName,
          verify: check.verify,
          context,
          protocols: [two ? 'h2' : 'http/1.1'],
        })
      : connectTcp({ host: target.address, port: check.port, noDelay: true });
    // HTTP/2 without TLS is by prior knowledge (RFC 9113 3.3); undici looks at this property.
    if (two && !check.tls) Object.assign(socket, { alpnProtocol: 'h2' });
    const onError = (error: Error): void => callback(error, null);
    // Errors that come later are undici's, or nobody's.
    socket.on('error', ignore).once('error', onError);
    socket.once(check.tls ? 'secureConnect' : 'connect', () => {
      socket.removeListener('error', onError);
      seen.connected = true;
      if (check.tls) seen.certificateDays = certificateDays(socket as TLSSocket, attempt.clock.nowMs());
      if (two && check.tls && (socket as TLSSocket).alpnProtocol !== 'h2') {
        socket.destroy();
        callback(new Error('no HTTP/2'), null);
      } else callback(null, socket);
    });
    attempt.signal.addEventListener('abort', () => seen.connected || socket.destroy(), { once: true });
  };
  const client = new Client(
    `${check.tls ? 'https' : 'http'}://${isIPv6(target.address) ? `[${target.address}]` : target.address}:${check.port}`,
    {
      connect: ((_options: unknown, callback: (error: Error | null, socket: Socket | null) => void) =>
        open(callback)) as never,
      // The deadline is the caller's: undici's own fires up to half a second late and never ends a body that drips.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 60_000,
      allowH2: two,
    },
  );
  return { client, seen, destroy: () => client.destroy(DONE, ignore) };
}

function ask(
  line: Line,
  check: HttpCheck,
  attempt: Attempt,
  host: string,
  serverName: string,
): Promise<Outcome | 'stale'> {
  const { client, seen } = line;
  return new Promise((resolve) => {
    let status = 0;
    let answer: Record<string, string | string[] | undefined> = {};
    let chunks: Buffer[] = [];
    let size = 0;
    let over = false;
    const finish = (outcome: Outcome | 'stale'): void => {
      if (over) return;
      over = true;
      attempt.signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const soFar = (): string => (status === 0 ? '' : printable(`${status} ${printable(Buffer.concat(chunks))}`));
    const onAbort = (): void => {
      const missing = status > 0 ? 'response not complete' : seen.connected ? 'no response' : 'no connection';
      finish(failed(`timeout: ${missing}`, soFar(), seen.certificateDays));
      client.destroy(DONE, ignore);
    };
    if (attempt.signal.aborted) return onAbort();
    attempt.signal.addEventListener('abort', onAbort);
    const complete = (): void => finish(judge(check, status, answer, Buffer.concat(chunks), seen.certificateDays));
    const request: Request = {
      method: check.method as Dispatcher.HttpMethod,
      path: check.path,
      headers: { host, 'user-agent': 'meridian', ...lowerCased(check.headers) },
      reset: !check.reuse,
      servername: serverName,
    };
    try {
      client.dispatch(request, {
        onRequestStart: () => {},
        onResponseStart: (_controller, statusCode, headers) => {
          status = statusCode;
          answer = headers;
        },
        onResponseData: (_controller, chunk) => {
          chunks.push(chunk.subarray(0, limits.probeBodyBytes - size));
          size += chunk.length;
          if (size < limits.probeBodyBytes) return;
          complete();
          chunks = [];
          client.destroy(DONE, ignore);
        },
        onResponseEnd: () => {
          seen.whole = true;
          complete();
        },
        onResponseError: (_controller, error) => {
          if (seen.reused && status === 0 && !attempt.signal.aborted) finish('stale');
          else
            finish(
              status > 0 && (error as { code?: string }).code === 'UND_ERR_SOCKET'
                ? failed('response cut off', soFar(), seen.certificateDays)
                : failedBy(error, seen.certificateDays),
            );
        },
      });
    } catch (error) {
      finish(failedBy(error));
    }
  });
}

function judge(
  check: HttpCheck,
  status: number,
  headers: Record<string, string | string[] | undefined>,
  body: Buffer,
  days: number | null,
): Outcome {
  const evidence = printable(`${status} ${printable(body)}`);
  if (!check.expectStatus.some(([from, to]) => status >= from && status <= to))
    return failed(`status ${status}`, evidence, days);
  if (check.expectBody !== null) {
    try {
      if (!matches(check.expectBody, body, 'utf8')) return failed('body does not match', evidence, days);
    } catch (error) {
      return failed('expect-body is no regular expression', printable(String(error)), days);
    }
  }
  if (check.minDays !== null && days !== null && days < check.minDays)
    return failed(`certificate expires in ${days} days`, evidence, days);
  return succeeded(evidence, check.load === null ? null : loadOf(check.load, headers, body), days);
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name in headers) result[name.toLowerCase()] = headers[name]!;
  return result;
}

function withoutPort(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'));
  const colon = host.indexOf(':');
  return colon < 0 ? host : host.slice(0, colon);
}

function ignore(): void {}
