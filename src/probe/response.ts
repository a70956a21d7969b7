// Reads an HTTP/1.1 response as it comes in, piece by piece: status, headers, the first bytes of the body.
//
// Why not a library: a probe through undici cost 1.7 to 2.5 times as much CPU, and the engine with 10,000 targets 53% of a core where
// it now takes 31% (bench/health/http.mjs, scale.mjs). No more is read than a probe needs: nothing is decompressed, no trailers.
import { limits } from '../base/limits.ts';

/** Header names in lower case; a name that comes again has a list. */
export type Headers = Record<string, string | string[] | undefined>;

/** What reading a piece led to. `bad` says in a few words why this is no response. */
export type Progress = 'more' | 'whole' | { readonly bad: string };

type State = 'status' | 'headers' | 'length' | 'close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' | 'whole';

const LF = 10;
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 5.5: what a field's value may not have. */
const NEVER_IN_VALUE = /[\0\r\n]/;
const CHUNK_SIZE = /^0*([0-9A-Fa-f]{1,8})(?:[ \t]|;|$)/;
const NOTHING = Buffer.alloc(0);

export class ResponseReader {
  readonly #bodiless: boolean;
  #state: State = 'status';
  #pending: Buffer = NOTHING;
  /** Bytes and lines of status lines, headers and trailers so far. */
  #headBytes = 0;
  #headLines = 0;
  #chunks = 0;
  /** Bytes of the body or of the chunk that are still to come. */
  #left = 0;
  readonly #body: Buffer[] = [];
  #bodyBytes = 0;
  #minor = 1;
  #lastName = '';
  /** 0 until the status line of the final response was read. */
  status = 0;
  headers: Headers = noHeaders();

  /** `method` decides whether a body follows (RFC 9110 9.3.2). */
  constructor(method: string) {
    this.#bodiless = method === 'HEAD';
  }

  /** Takes the next piece; it must stand still afterwards. `whole` also when the body is as long as one is read. */
  push(piece: Buffer): Progress {
    this.#pending = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    for (;;) {
      switch (this.#state) {
        case 'whole':
          return 'whole';
        case 'length':
        case 'chunk':
        case 'close': {
          if (this.#pending.length === 0) return 'more';
          const take = this.#state === 'close' ? this.#pending.length : Math.min(this.#left, this.#pending.length);
          if (this.#keep(take)) return 'whole';
          if (this.#state === 'close') return 'more';
          this.#left -= take;
          if (this.#left > 0) return 'more';
          this.#state = this.#state === 'length' ? 'whole' : 'chunk-end';
          break;
        }
        default: {
          const bad = this.#line();
          if (bad === 'more') return 'more';
          if (bad !== null) return { bad };
        }
      }
    }
  }

  /** The connection has ended: whether what came is a whole response (RFC 9112 8). */
  end(): boolean {
    return this.#state === 'close' || this.#state === 'whole';
  }

  /** What was read of the body, at most `limits.probeBodyBytes`. */
  get body(): Buffer {
    return this.#body.length === 1 ? this.#body[0]! : Buffer.concat(this.#body);
  }

  /** Whether another request may follow on this connection (RFC 9112 9.3): the response has ended by itself, and no one said close. */
  get reusable(): boolean {
    if (this.#state !== 'whole' || this.#pending.length > 0) return false;
    const options = tokens(this.headers.connection);
    if (this.#minor === 1) return !options.includes('close');
    // RFC 9112 6.1: an older server that sends chunks is not to be trusted with another request.
    return options.includes('keep-alive') && this.headers['transfer-encoding'] === undefined;
  }

  /** Moves `count` bytes of what is pending to the body; true when that is enough of it. */
  #keep(count: number): boolean {
    const room = limits.probeBodyBytes - this.#bodyBytes;
    // Copied, or each byte would keep all that came with it.
    this.#body.push(Buffer.from(this.#pending.subarray(0, Math.min(count, room))));
    this.#bodyBytes += Math.min(count, room);
    this.#pending = this.#pending.subarray(count);
    return this.#bodyBytes === limits.probeBodyBytes;
  }

  /** Takes a line. null: go on; `more`: there is none yet; else what is wrong. A bare LF ends a line too (RFC 9112 2.2). */
  #line(): string | null {
    const end = this.#pending.indexOf(LF);
    const bytes = end < 0 ? this.#pending.length : end + 1;
    // Lines between chunks are as many as the body has bytes at most.
    const chunked = this.#state === 'chunk-size' || this.#state === 'chunk-end';
    if (bytes > (chunked ? limits.probeChunkLineBytes : limits.probeHeadBytes - this.#headBytes))
      return chunked ? 'bad chunk' : 'headers too long';
    // What speaks first, and isn't HTTP, need not end its line.
    if (this.#state === 'status' && !'HTTP/'.startsWith(this.#pending.toString('latin1', 0, Math.min(5, bytes))))
      return 'not HTTP';
    if (end < 0) return 'more';
    if (!chunked) {
      this.#headBytes += bytes;
      // Short lines cost as much as long ones.
      if (++this.#headLines > limits.probeHeadLines) return 'too many header lines';
    }
    const line = this.#pending.toString('latin1', 0, end > 0 && this.#pending[end - 1] === 13 ? end - 1 : end);
    this.#pending = this.#pending.subarray(bytes);
    switch (this.#state) {
      case 'status':
        return this.#statusLine(line);
      case 'headers':
        return line === '' ? this.#headersEnd() : this.#field(line);
      case 'chunk-size':
        return this.#chunkSize(line);
      case 'chunk-end':
        this.#state = 'chunk-size';
        return line === '' ? null : 'bad chunk';
      default:
        // Trailers say nothing to a probe.
        if (line === '') this.#state = 'whole';
        return null;
    }
  }

  #statusLine(line: string): string | null {
    const match = STATUS_LINE.exec(line);
    if (match === null) return 'not HTTP';
    this.#minor = Number(match[1]);
    this.status = Number(match[2]);
    this.headers = noHeaders();
    this.#lastName = '';
    this.#state = 'headers';
    return null;
  }

  #field(line: string): string | null {
    // RFC 9112 5.2: a line that begins with white space goes on with the one before.
    if ((line.startsWith(' ') || line.startsWith('\t')) && this.#lastName !== '') {
      const before = this.headers[this.#lastName]!;
      if (typeof before === 'string') this.headers[this.#lastName] = `${before} ${line.trim()}`;
      else before[before.length - 1] += ` ${line.trim()}`;
      return null;
    }
    // No regular expression over the whole line: blanks at its ends would make it go back and forth.
    const colon = line.indexOf(':');
    if (colon < 0 || !FIELD_NAME.test(line.slice(0, colon)) || NEVER_IN_VALUE.test(line)) return 'bad header line';
    const name = line.slice(0, colon).toLowerCase();
    const before = this.headers[name];
    const value = line.slice(colon + 1).trim();
    if (before === undefined) this.headers[name] = value;
    else if (typeof before === 'string') this.headers[name] = [before, value];
    else before.push(value);
    this.#lastName = name;
    return null;
  }

  #headersEnd(): string | null {
    const { status } = this;
    // RFC 9110 15.2: interim responses come before the final one. 101 isn't one: nobody asked for another protocol.
    if (status >= 100 && status < 200 && status !== 101) {
      this.status = 0;
      this.#state = 'status';
      return null;
    }
    return this.#bodyFollows(status);
  }

  /** How long the body is: RFC 9112 6.3. */
  #bodyFollows(status: number): string | null {
    if (this.#bodiless || status === 101 || status === 204 || status === 304) {
      this.#state = 'whole';
      return null;
    }
    // RFC 2616 3.6: `identity` is none at all; later RFCs dropped it, servers didn't.
    const codings = tokens(this.headers['transfer-encoding']).filter((coding) => coding !== 'identity');
    if (codings.length > 0) {
      this.#state = codings.at(-1) === 'chunked' ? 'chunk-size' : 'close';
      return null;
    }
    const lengths = [...new Set(tokens(this.headers['content-length']))];
    if (lengths.length === 0) {
      this.#state = 'close';
      return null;
    }
    if (lengths.length > 1 || !/^\d{1,15}$/.test(lengths[0]!)) return 'bad content-length';
    this.#left = Number(lengths[0]);
    this.#state = this.#left === 0 ? 'whole' : 'length';
    return null;
  }

  #chunkSize(line: string): string | null {
    const match = CHUNK_SIZE.exec(line);
    if (match === null) return 'bad chunk';
    if (++this.#chunks > limits.probeChunks) return 'too many chunks';
    this.#left = Number.parseInt(match[1]!, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    return null;
  }
}

/** Without a prototype, in which `__proto__` is a header name like any other. */
function noHeaders(): Headers {
  return Object.create(null) as Headers;
}

/** The members of a list field, in lower case. */
function tokens(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return (typeof value === 'string' ? value : value.join(','))
    .split(',')
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '');
}
