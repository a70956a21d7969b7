// A connection that speaks HTTP/1.1: writes a request, reads what comes, and ends with the response, an error or the deadline.
import type { Socket } from 'node:net';
import { limits } from '../base/limits.ts';
import { failed, failedBy, type Outcome, printable } from './outcome.ts';
import type { Attempt } from './probe.ts';
import { ResponseReader } from './response.ts';
import { evidenceOf, judge, openSocket, requestHeaders, timedOut, WebLine, type WebTarget } from './web.ts';

/** Methods whose requests usually have a body: without a length some servers would wait for it (RFC 9110 8.6). */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

export class Http1Line extends WebLine {
  readonly #request: string;
  /** Gets what happens on the connection while a request is under way. */
  #listener: { data(piece: Buffer): void; end(error: Error | null): void; excess(reason: string): void } | null = null;

  constructor(web: WebTarget) {
    super(web);
    const { method, path, reuse } = web.check;
    const headers = requestHeaders(web);
    if (WITH_BODY.has(method)) headers['content-length'] = '0';
    headers.connection = reuse ? 'keep-alive' : 'close';
    const lines = Object.keys(headers).map((name) => `${name}: ${headers[name]}\r\n`);
    this.#request = `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
  }

  ask(attempt: Attempt): Promise<Outcome | 'stale'> {
    return new Promise((resolve) => {
      const { check } = this.web;
      const reader = new ResponseReader(check.method);
      const reused = this.socket !== null;
      let silent = true;
      let reads = 0;
      const finish = (outcome: Outcome | 'stale'): void => {
        this.#listener = null;
        attempt.signal.removeEventListener('abort', onAbort);
        resolve(outcome);
      };
      const onAbort = (): void => {
        finish(timedOut(check, this.connected, reader.status, reader.body, this.days));
        this.destroy();
      };
      const whole = (): void => {
        // RFC 9110 15.5.9: a kept connection's farewell, which crossed the request on its way.
        if (reused && reader.status === 408) finish('stale');
        else {
          this.reusable = reader.reusable;
          finish(judge(check, reader.status, reader.headers, reader.body, this.days));
        }
      };
      this.#listener = {
        data: (piece) => {
          silent = false;
          const progress = reader.push(piece);
          if (progress === 'whole') whole();
          else if (progress !== 'more') {
            // A banner tells which protocol it is instead; behind a status may stand what evidence must not tell.
            const said = reader.status === 0 && progress.bad === 'not HTTP' ? printable(piece) : '';
            finish(failed(progress.bad, said || evidenceOf(check, reader.status, reader.body), this.days));
          } else if (++reads >= limits.probeReads)
            finish(failed('response in too many pieces', evidenceOf(check, reader.status, reader.body), this.days));
        },
        excess: (reason) => finish(failed(reason, evidenceOf(check, reader.status, reader.body), this.days)),
        end: (error) => {
          if (reused && silent) finish('stale');
          else if (error !== null) finish(failedBy(error, this.days));
          else if (reader.end()) whole();
          else
            finish(
              failed(
                silent ? 'connection closed early' : 'response cut off',
                evidenceOf(check, reader.status, reader.body),
                this.days,
              ),
            );
        },
      };
      if (this.isStale(attempt)) return finish('stale');
      if (attempt.signal.aborted) return onAbort();
      attempt.signal.addEventListener('abort', onAbort);
      this.socket ??= this.#open(attempt);
      // Before the connection stands this waits in the socket.
      this.socket.write(this.#request, 'latin1');
    });
  }

  #open(attempt: Attempt): Socket {
    const socket = openSocket(this.web, attempt, this.gates, {
      open: (days) => {
        this.connected = true;
        this.days = days;
      },
      excess: (reason) => this.#listener?.excess(reason),
    });
    socket.on('data', (piece: Buffer) => {
      // What nobody asked for makes a kept connection useless: the next response would be another's.
      if (this.#listener === null) this.destroy();
      else this.#listener.data(piece);
    });
    const onEnd = (error: Error | null): void => {
      this.over = true;
      this.#listener?.end(error);
    };
    socket.on('error', onEnd);
    socket.on('end', () => onEnd(null));
    socket.on('close', () => onEnd(null));
    return socket;
  }
}
