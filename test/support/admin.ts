// Starts an admin over a fake control plane, and asks it things in raw HTTP, where every header can be chosen.
import { mkdtempSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Admin, type AdminOptions, startAdmin } from '../../dist/admin/server.js';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { FakeControl } from './fake-control.ts';

export interface RunningAdmin {
  readonly control: FakeControl;
  readonly admin: Admin;
  ask(method: string, path: string, options?: Asked): Promise<Reply>;
}

interface Asked {
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came.
  readonly json: any;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'meridian-'));
}

/** Stop it with `admin.stop()`. */
export async function runAdmin(options: Partial<AdminOptions> = {}): Promise<RunningAdmin> {
  const control = new FakeControl();
  const admin = await startAdmin({
    control,
    log: createLog('silent'),
    clock: systemClock,
    host: '127.0.0.1',
    port: 0,
    hosts: [],
    tokensFile: null,
    localToken: null,
    ...options,
  });
  return { control, admin, ask: (method, path, asked = {}) => ask(admin.url, method, path, asked) };
}

/** The path goes out as it stands, without what a URL class would mend. */
export function ask(url: string, method: string, path: string, { headers = {}, body }: Asked = {}): Promise<Reply> {
  const { hostname, port } = new URL(url);
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const type =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      { host: hostname.replace(/^\[|\]$/g, ''), port, method, path, headers: { ...type, ...headers }, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const received = Buffer.concat(parts).toString();
          const isJson = /json/.test(response.headers['content-type'] ?? '') && received !== '';
          const json = isJson ? JSON.parse(received) : undefined;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: received, json });
        });
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}
