// A connection that speaks HTTP/2, through undici.
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import { limits } from '../base/limits.ts';
import { failed, failedBy, type Outcome } from './outcome.ts';
import type { Attempt } from './probe.ts';
import type { Headers } from './response.ts';
import { evidenceOf, judge, keptDays, type Line, openSocket, requestHeaders, timedOut, type WebTarget } from './web.ts';

/** undici reads `servername`, but its types don't tell; without it the Host header would be the server name. */
type Request = Dispatcher.DispatchOptions & { servername?: string };

type Opened = (error: Error | null, socket: Socket | null) => void;

/** What a client's last connection ends with when we end it. */
const DONE = new Error('the probe is done');

export class Http2Line implements Line {
  readonly #web: WebTarget;
  #client: Client | null = null;
  #socket: Socket | null = null;
  #days: number | null = null;
  #connected = false;
  reusable = false;

  constructor(web: WebTarget) {
    this.#web = web;
  }

  ask(attempt: Attempt): Promise<Outcome | 'stale'> {
    const reused = this.#client !== null;
    const { check, serverName } = this.#web;
    this.#client ??= this.#open(attempt);
    if (this.#socket !== null) {
      const days = keptDays(check, this.#socket, attempt);
      if (days === 'stale') return Promise.resolve(days);
      this.#days = days;
    }
    const client = this.#client;
    return new Promise((resolve) => {
      let status = 0;
      let answer: Headers = {};
      let chunks: Buffer[] = [];
      let size = 0;
      let over = false;
      const finish = (outcome: Outcome | 'stale'): void => {
        if (over) return;
        over = true;
        attempt.signal.removeEventListener('abort', onAbort);
        resolve(outcome);
      };
      const onAbort = (): void => {
        finish(timedOut(this.#connected, status, Buffer.concat(chunks), this.#days));
        this.destroy();
      };
      this.reusable = false;
      if (attempt.signal.aborted) return onAbort();
      attempt.signal.addEventListener('abort', onAbort);
      const complete = (): void => finish(judge(check, status, answer, Buffer.concat(chunks), this.#days));
      const request: Request = {
        method: check.method as Dispatcher.HttpMethod,
        path: check.path,
        headers: requestHeaders(this.#web),
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
            this.destroy();
          },
          onResponseEnd: () => {
            this.reusable = true;
            complete();
          },
          onResponseError: (_controller, error) => {
            if (reused && status === 0 && !attempt.signal.aborted) finish('stale');
            else
              finish(
                status > 0 && (error as { code?: string }).code === 'UND_ERR_SOCKET'
                  ? failed('response cut off', evidenceOf(status, Buffer.concat(chunks)), this.#days)
                  : failedBy(error, this.#days),
              );
          },
        });
      } catch (error) {
        finish(failedBy(error));
      }
    });
  }

  destroy(): void {
    this.reusable = false;
    void this.#client?.destroy(DONE, ignore);
    // undici doesn't know of one that it was not given yet.
    this.#socket?.destroy();
  }

  #open(attempt: Attempt): Client {
    const { address, check } = this.#web;
    const connect = (_options: unknown, callback: Opened): void => {
      this.#connected = false;
      // undici sends its request in here, and Node throws for what it would not send.
      const hand = (socket: Socket): void => {
        try {
          callback(null, socket);
        } catch (error) {
          socket.destroy(error as Error);
        }
      };
      const socket = openSocket(this.#web, attempt, (days) => {
        socket.removeListener('error', onError);
        this.#connected = true;
        this.#days = days;
        if (check.tls && (socket as TLSSocket).alpnProtocol !== 'h2') {
          socket.destroy();
          callback(new Error('no HTTP/2'), null);
        } else hand(socket);
      });
      this.#socket = socket;
      // HTTP/2 without TLS is by prior knowledge (RFC 9113 3.3); undici looks at this property.
      if (!check.tls) Object.assign(socket, { alpnProtocol: 'h2' });
      const onError = (error: Error): void => callback(error, null);
      // Errors that come later are undici's, or nobody's.
      socket.on('error', ignore).once('error', onError);
      attempt.signal.addEventListener('abort', () => this.#connected || socket.destroy(), { once: true });
    };
    const host = address.includes(':') ? `[${address}]` : address;
    return new Client(`${check.tls ? 'https' : 'http'}://${host}:${check.port}`, {
      connect: connect as never,
      // The deadline is the caller's: undici's own fires up to half a second late and never ends a body that drips.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 60_000,
      allowH2: true,
    });
  }
}

function ignore(): void {}
