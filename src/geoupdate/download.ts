// Fetches one file over HTTPS: bounded in bytes, time and redirects, conditional, tried again where that may help.
import { rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';

/** What a publisher said of a version, to be sent back with the next request (RFC 9110 13.1). */
export interface Validators {
  readonly etag: string | null;
  readonly lastModified: string | null;
}

export interface Fetched extends Validators {
  readonly bytes: Buffer;
}

export interface Fetch {
  readonly url: string;
  readonly maxBytes: number;
  /** Value of the Authorization header; null: none. Only the first host gets it. */
  readonly authorization: string | null;
  /** null: the file is wanted whatever its version. */
  readonly known: Validators | null;
}

/** A download that came to nothing. */
export class DownloadError extends Error {
  /** Whether another try at once may help. */
  readonly again: boolean;
  /** What the publisher asks for before the next request; null: nothing. */
  readonly retryAfterMs: number | null;

  constructor(message: string, again: boolean, retryAfterMs: number | null = null) {
    super(message);
    this.again = again;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface DownloadBounds {
  readonly silenceMs: number;
  readonly totalMs: number;
  readonly firstWaitMs: number;
  readonly tries: number;
}

const BOUNDS: DownloadBounds = {
  silenceMs: limits.geoSilenceMs,
  totalMs: limits.geoDownloadMs,
  firstWaitMs: limits.geoFirstWaitMs,
  tries: limits.geoTries,
};

/** Downloads that share their connections and trust. `close` ends them. */
export class Downloader {
  readonly #clock: Clock;
  readonly #bounds: DownloadBounds;
  readonly #userAgent: string;
  readonly #dispatcher: Dispatcher;

  /** @param authorities certificates (PEM) to trust besides the public ones; null: none */
  constructor(clock: Clock, version: string, authorities: string | null, bounds: DownloadBounds = BOUNDS) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#userAgent = `meridian/${version}`;
    const connect = authorities === null ? {} : { ca: [...rootCertificates, authorities] };
    const options = { connect: { ...connect, timeout: bounds.silenceMs }, requestTls: connect };
    const proxied = ['https_proxy', 'HTTPS_PROXY'].some((name) => (process.env[name] ?? '') !== '');
    this.#dispatcher = proxied ? new EnvHttpProxyAgent(options) : new Agent(options);
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** The file; `unchanged` where the known version is the newest, `missing` where there is none. Rejects with DownloadError. */
  async fetch(wanted: Fetch): Promise<Fetched | 'unchanged' | 'missing'> {
    let waitMs = this.#bounds.firstWaitMs;
    for (let left = this.#bounds.tries - 1; ; left--) {
      try {
        return await this.#try(wanted);
      } catch (error) {
        const failure = asDownloadError(error, wanted.url);
        const askedMs = failure.retryAfterMs ?? 0;
        if (!failure.again || left <= 0 || askedMs > limits.geoRetryAfterMs) throw failure;
        await new Promise<void>((resolve) => void this.#clock.after(Math.max(waitMs, askedMs), resolve));
        waitMs *= 4;
      }
    }
  }

  async #try(wanted: Fetch): Promise<Fetched | 'unchanged' | 'missing'> {
    const { silenceMs, totalMs } = this.#bounds;
    let url = new URL(wanted.url);
    let authorization = wanted.authorization;
    const signal = AbortSignal.timeout(totalMs);
    for (let redirects = 0; ; redirects++) {
      const { etag = null, lastModified = null } = wanted.known ?? {};
      const response = await request(url, {
        dispatcher: this.#dispatcher,
        headersTimeout: silenceMs,
        bodyTimeout: silenceMs,
        signal,
        headers: {
          'user-agent': this.#userAgent,
          accept: '*/*',
          // What is packed comes as it is; a packed transport on top of that could not be held to its bound.
          'accept-encoding': 'identity',
          ...(authorization === null ? {} : { authorization }),
          ...(etag === null ? {} : { 'if-none-match': etag }),
          ...(lastModified === null ? {} : { 'if-modified-since': lastModified }),
        },
      });
      const location = response.headers.location;
      if (REDIRECTS.has(response.statusCode) && typeof location === 'string') {
        await response.body.dump();
        if (redirects === limits.geoRedirects) throw new DownloadError(`${shown(wanted.url)} leads in a circle`, false);
        const next = new URL(location, url);
        if (next.protocol !== 'https:') throw new DownloadError(`${shown(wanted.url)} leads away from HTTPS`, false);
        // A storage behind the publisher gets its own signed address, and no business with the licence key.
        if (next.origin !== url.origin) authorization = null;
        url = next;
        continue;
      }
      return await this.#result(wanted, response);
    }
  }

  async #result(
    wanted: Fetch,
    { statusCode, headers, body }: Dispatcher.ResponseData,
  ): Promise<Fetched | 'unchanged' | 'missing'> {
    if (statusCode === 200) {
      const text = (name: string): string | null => (typeof headers[name] === 'string' ? headers[name] : null);
      const bytes = await collect(body, wanted);
      return { bytes, etag: text('etag'), lastModified: text('last-modified') };
    }
    // A lawful 304 with a Content-Length fails when its text is asked for.
    await body.dump();
    if (statusCode === 304 && wanted.known !== null) return 'unchanged';
    if (statusCode === 404 || statusCode === 410) return 'missing';
    throw new DownloadError(
      `${shown(wanted.url)} answers ${statusCode}${EXPLAINED[statusCode] ?? ''}`,
      statusCode >= 500 || statusCode === 429 || statusCode === 408,
      retryAfterMs(headers['retry-after'], this.#clock.nowMs()),
    );
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const EXPLAINED: Readonly<Record<number, string>> = {
  401: ': the account or its licence key is wrong',
  402: ': the account has no (more) right to this edition',
  403: ': the account has no right to this edition, or the key is not for downloads',
  429: ': too many downloads, the publisher wants fewer',
};

async function collect(body: Dispatcher.ResponseData['body'], { url, maxBytes }: Fetch): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) throw new DownloadError(`${shown(url)} is larger than ${maxBytes} bytes`, false);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** RFC 9110 10.2.3: seconds, or a date. */
function retryAfterMs(value: string | string[] | undefined, nowMs: number): number | null {
  if (typeof value !== 'string') return null;
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null;
}

/** An address without what may be secret in it. */
export function shown(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

function asDownloadError(error: unknown, url: string): DownloadError {
  if (error instanceof DownloadError) return error;
  const { code, message, name } = error as NodeJS.ErrnoException;
  const reason =
    name === 'TimeoutError'
      ? 'takes too long'
      : (REASONS[code ?? ''] ?? `can't be fetched: ${message === '' ? (code ?? name) : message}`);
  return new DownloadError(`${shown(url)} ${reason}`, true);
}

const REASONS: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: 'gives no answer',
  UND_ERR_BODY_TIMEOUT: 'stopped in the middle of its answer',
  UND_ERR_CONNECT_TIMEOUT: "can't be reached: no answer",
  UND_ERR_SOCKET: 'broke off its answer',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'broke off its answer',
  ECONNRESET: 'broke off its answer',
  ECONNREFUSED: "can't be reached: connection refused",
  ENOTFOUND: "can't be reached: its name doesn't resolve",
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate of an unknown authority (ca-file names one)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate of an unknown authority (ca-file names one)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'has a certificate of an unknown authority (ca-file names one)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a certificate of an unknown authority (ca-file names one)',
  CERT_HAS_EXPIRED: 'has a certificate that has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
};
