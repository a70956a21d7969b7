// A publisher of databases on loopback, over HTTPS: each path answers as a test says, and every request is kept.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from './certificates.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class Publisher {
  /** The authority that signed its certificate, as a PEM file. */
  readonly caFile: string;
  readonly requests: { readonly path: string; readonly headers: IncomingHttpHeaders }[] = [];
  readonly #folder: string;
  readonly #server: Server;
  #answers = new Map<string, Answer>();

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'meridian-publisher-'));
    const authority = new Authority(this.#folder);
    this.caFile = authority.file;
    const { certificate, key } = authority.issue('publisher', ['127.0.0.1', 'localhost'], 30);
    this.#server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
      this.requests.push({ path: request.url!, headers: request.headers });
      const answer = this.#answers.get(request.url!);
      if (answer === undefined) response.writeHead(404).end('there is no such file\n');
      else answer(request, response);
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Forgets all answers and requests. */
  clear(): void {
    this.#answers = new Map();
    this.requests.length = 0;
  }

  on(path: string, answer: Answer | Uint8Array | string): void {
    this.#answers.set(path, typeof answer === 'function' ? answer : plain(answer));
  }

  /** A file and its SHA-256. */
  withChecksum(path: string, bytes: Uint8Array, checksumPath = `${path}.sha256`): void {
    this.on(path, bytes);
    this.on(checksumPath, `${createHash('sha256').update(bytes).digest('hex')}  file\n`);
  }

  get paths(): string[] {
    return this.requests.map(({ path }) => path);
  }
}

function plain(bytes: Uint8Array | string): Answer {
  return (_request, response) => void response.end(bytes);
}

/** Answers with an ETag, and 304 to those who know it. */
export function versioned(bytes: Uint8Array, etag: string): Answer {
  return (request, response) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end();
    else response.writeHead(200, { etag, 'last-modified': 'Sun, 01 Nov 2026 00:00:00 GMT' }).end(bytes);
  };
}

/** Breaks off in the middle. */
export function cut(bytes: Uint8Array): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.destroy());
  };
}

/** Begins and then says nothing more. */
export function stuck(bytes: Uint8Array): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, bytes.length >> 1));
  };
}

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_request, response) => void response.writeHead(code, headers).end();
}
