// Talks to a running server's admin for the commands.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatAddress } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import type { Endpoint } from '../settings/values.ts';
import { loadSettings, reasonOf } from './config.ts';
import { EXIT, Failure } from './exit.ts';
import type { ServerOptions } from './options.ts';

/** The token that a running server leaves in its state folder for those who may read it. */
export const LOCAL_TOKEN_FILE = 'admin.token';

class AdminClient {
  readonly #url: string;
  readonly #token: string | null;

  constructor(url: string, token: string | null) {
    this.#url = url;
    this.#token = token;
  }

  /** The JSON of a reply. Throws Failure: 1 for what was asked wrongly, 3 for a server that isn't there or failed. */
  async ask<T>(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const response = await this.#fetch(method, path, 'application/json', body);
    return (await response.json()) as T;
  }

  /** Data of a live stream's messages as they come; ends with the connection. */
  async *follow(path: string): AsyncGenerator<string> {
    const response = await this.#fetch('GET', path, 'text/event-stream');
    let text = '';
    const decoder = new TextDecoder();
    try {
      for await (const part of response.body ?? []) {
        text += decoder.decode(part as Uint8Array, { stream: true });
        const lines = text.split('\n');
        text = lines.pop()!;
        for (const line of lines) if (line.startsWith('data: ')) yield line.slice(6);
      }
    } catch (error) {
      throw new Failure(EXIT.server, `the connection to ${this.#url} broke: ${whyNot(error)}`);
    }
  }

  async #fetch(method: string, path: string, accept: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { accept };
    if (this.#token !== null) headers.authorization = `Bearer ${this.#token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, {
        method,
        headers,
        redirect: 'error',
        // A stream has no end; any other reply that takes longer will not come.
        ...(accept === 'text/event-stream' ? {} : { signal: AbortSignal.timeout(limits.replyMs) }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw new Failure(EXIT.server, `cannot reach a server at ${this.#url}: ${whyNot(error)}`);
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: unknown };
    const detail = typeof problem.detail === 'string' ? problem.detail : `${this.#url} replied ${response.status}`;
    const hint = response.status === 401 ? ' (--token-file FILE)' : '';
    throw new Failure(response.status >= 500 ? EXIT.server : EXIT.input, detail + hint);
  }
}

/** The client for a command's options. */
export function openClient(options: ServerOptions): AdminClient {
  const given = options.tokenFile === undefined ? undefined : readTokenFile(options.tokenFile);
  if (options.admin !== undefined) return new AdminClient(baseUrl(options.admin), given ?? null);
  const settings = loadSettings(options.config);
  if (settings.admin.listen.port === 0) {
    throw new Failure(EXIT.usage, 'the settings leave the port of the admin open: say --admin URL');
  }
  return new AdminClient(urlOf(settings.admin.listen), given ?? localToken(settings.state));
}

/** Checks an `--admin` URL and cuts its end, so that paths can be added. */
function baseUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text.includes('://') ? text : `http://${text}`);
  } catch {
    throw new Failure(EXIT.usage, `--admin: "${text}" is no URL such as http://127.0.0.1:8053`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new Failure(EXIT.usage, `--admin: "${text}" must begin with http:// or https://`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Where an admin that listens on this can be reached from the same machine. */
function urlOf({ address, port }: Endpoint): string {
  const everywhere = address.bytes.every((byte) => byte === 0);
  if (address.family === 4) return `http://${everywhere ? '127.0.0.1' : formatAddress(address)}:${port}`;
  return `http://[${everywhere ? '::1' : formatAddress(address)}]:${port}`;
}

function readTokenFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(EXIT.input, `cannot read the token file ${file}: ${reasonOf(error)}`);
  }
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Failure(EXIT.input, `${file} does not hold one token: it must be what "meridian token add" printed`);
}

function localToken(state: string): string | null {
  try {
    return readFileSync(join(state, LOCAL_TOKEN_FILE), 'utf8').trim();
  } catch {
    // No such server ran here, or we are not meant to read it: without a token, then.
    return null;
  }
}

function whyNot(error: unknown): string {
  const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
  if (cause?.code === 'ECONNREFUSED') return 'nothing listens there; is the server running?';
  if (cause?.code === 'ENOTFOUND') return 'no such host';
  return cause?.message === undefined || cause.message === '' ? (cause?.code ?? message) : cause.message;
}
