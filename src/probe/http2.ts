// A connection that speaks HTTP/2 (RFC 9113), through node:http2: a session for the probes of one target, a stream for each request.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { limits } from '../base/limits.ts';
import { FrameGate } from './http2-gate.ts';
import { failed, failedBy, type Outcome } from './outcome.ts';
import type { Attempt } from './probe.ts';
import type { Headers } from './response.ts';
import { evidenceOf, judge, openSocket, requestHeaders, timedOut, WebLine } from './web.ts';

const { HTTP2_HEADER_METHOD, HTTP2_HEADER_PATH, HTTP2_HEADER_SCHEME, HTTP2_HEADER_AUTHORITY, HTTP2_HEADER_STATUS } =
  constants;

export class Http2Line extends WebLine {
  #session: ClientHttp2Session | null = null;
  /** Why the connection was closed for what came on it, if it was. */
  #excess: string | null = null;
  /** What to tell the request that is under way when the connection fails. */
  #fail: (error: Error | null) => void = ignore;

  ask(attempt: Attempt): Promise<Outcome | 'stale'> {
    return new Promise((resolve) => {
      const { check } = this.web;
      const reused = this.socket !== null;
      let status = 0;
      let answer: Headers = {};
      const chunks: Buffer[] = [];
      let size = 0;
      let over = false;
      const body = (): Buffer => Buffer.concat(chunks);
      const finish = (outcome: Outcome | 'stale'): void => {
        if (over) return;
        over = true;
        this.#fail = ignore;
        attempt.signal.removeEventListener('abort', onAbort);
        resolve(outcome);
      };
      const onAbort = (): void => {
        finish(timedOut(check, this.connected, status, body(), this.days));
        this.destroy();
      };
      const fail = (error: Error | null): void => {
        if (this.#excess !== null) finish(failed(this.#excess, evidenceOf(check, status, body()), this.days));
        // What a kept connection ends with before it answers says nothing of the server (RFC 9113 8.7: it may be asked again).
        else if (reused && status === 0) finish('stale');
        else if (status > 0) finish(failed('response cut off', evidenceOf(check, status, body()), this.days));
        else finish(error === null ? failed('connection closed early', '', this.days) : failedBy(error, this.days));
      };
      const request = (session: ClientHttp2Session): void => {
        let stream: ClientHttp2Stream;
        try {
          stream = session.request(this.#headers(), { endStream: true });
        } catch (error) {
          // The session is going, or Node would not send such a request.
          fail(error as Error);
          return;
        }
        stream.on('response', (headers) => {
          status = Number(headers[HTTP2_HEADER_STATUS] ?? 0);
          answer = headers as Headers;
        });
        stream.on('data', (chunk: Buffer) => {
          if (over) return;
          chunks.push(chunk.subarray(0, limits.probeBodyBytes - size));
          size += chunk.length;
          if (size < limits.probeBodyBytes) return;
          finish(judge(check, status, answer, body(), this.days));
          this.destroy();
        });
        // Also of a stream that was reset: only its code tells a response that is whole.
        let ended = false;
        stream.on('end', () => {
          ended = true;
        });
        stream.on('close', () => {
          if (!ended || status === 0 || stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.aborted) fail(null);
          else {
            this.reusable = !this.over;
            finish(judge(check, status, answer, body(), this.days));
          }
        });
        stream.on('error', fail);
      };

      if (this.isStale(attempt)) return finish('stale');
      if (attempt.signal.aborted) return onAbort();
      attempt.signal.addEventListener('abort', onAbort);
      this.#fail = fail;
      if (this.#session !== null) request(this.#session);
      else this.#open(attempt, request);
    });
  }

  override destroy(): void {
    this.#session?.destroy();
    super.destroy();
  }

  #headers(): Record<string, string> {
    const { check } = this.web;
    const { host, ...headers } = requestHeaders(this.web);
    return {
      [HTTP2_HEADER_METHOD]: check.method,
      [HTTP2_HEADER_PATH]: check.path,
      [HTTP2_HEADER_SCHEME]: check.tls ? 'https' : 'http',
      [HTTP2_HEADER_AUTHORITY]: host!,
      ...headers,
    };
  }

  #open(attempt: Attempt, onOpen: (session: ClientHttp2Session) => void): void {
    const { check, host } = this.web;
    const excess = (reason: string): void => {
      this.#excess = reason;
      onEnd(null);
    };
    const opened = (days: number | null): void => {
      this.connected = true;
      this.days = days;
      if (check.tls && (socket as TLSSocket).alpnProtocol !== 'h2') {
        this.#fail(new Error('no HTTP/2'));
        socket.destroy();
        return;
      }
      // Without TLS it is HTTP/2 by prior knowledge (RFC 9113 3.3).
      const gate = new FrameGate(socket, excess);
      this.gates.push(gate);
      const session = connect(`${check.tls ? 'https' : 'http'}://${host}`, {
        createConnection: () => gate,
        settings: { enablePush: false },
        maxSessionMemory: 1,
      });
      this.#session = session;
      session.on('goaway', () => {
        // The server takes no more requests; those that it has go on (RFC 9113 6.8).
        this.over = true;
        this.reusable = false;
      });
      session.on('error', onEnd);
      session.on('close', () => onEnd(null));
      onOpen(session);
    };
    const socket = openSocket(this.web, attempt, this.gates, { open: opened, excess });
    this.socket = socket;
    const onEnd = (error: Error | null): void => {
      this.over = true;
      this.#fail(error);
    };
    socket.on('error', onEnd);
    socket.on('close', () => onEnd(null));
  }
}

function ignore(): void {}
