import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../dist/base/clock.js';
import { Downloader, shown } from '../../dist/geoupdate/download.js';
import { Publisher } from '../support/publisher.ts';

const publisher = new Publisher();
let downloader: Downloader | null = null;

beforeAll(() => publisher.start());
afterAll(() => publisher.stop());
beforeEach(() => publisher.clear());
afterEach(async () => {
  await downloader?.close();
  vi.unstubAllEnvs();
});

function fetchFile(path: string, maxBytes = 1_000) {
  downloader = new Downloader(systemClock, '1', readFileSync(publisher.caFile, 'utf8'));
  return downloader.fetch({ url: publisher.url + path, maxBytes, authorization: null, known: null });
}

/** Passes on what it is asked to connect to, and keeps the names. */
async function startProxy(): Promise<{ proxy: Server; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer().on('connect', (request, socket) => {
    asked.push(request.url!);
    const upstream = connect(publisher.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const side of [socket, upstream]) side.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { proxy, asked };
}

describe('a download', () => {
  it('goes through the proxy that the environment names, by TLS to the publisher', async () => {
    const { proxy, asked } = await startProxy();
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    publisher.on('/file', 'content');
    expect(await fetchFile('/file')).toMatchObject({ bytes: Buffer.from('content') });
    expect(asked).toEqual([`127.0.0.1:${publisher.port}`]);
    proxy.close();
  });

  it('ends at its bound, whether the publisher says how much there is or not', async () => {
    publisher.on('/file', Buffer.alloc(1_001));
    await expect(fetchFile('/file')).rejects.toThrow('larger than 1000 bytes');
    let sent = 0;
    publisher.on('/endless', (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(10_000))) sent++;
      };
      response.on('drain', more);
      more();
    });
    await expect(fetchFile('/endless')).rejects.toThrow('larger than 1000 bytes');
    expect(sent).toBeLessThan(10_000);
    expect(publisher.paths).toEqual(['/file', '/endless']);
  });

  it('asks for the file as it is, not packed for the way: what that unpacks to has no bound', async () => {
    publisher.on('/file', 'plain');
    await fetchFile('/file');
    expect(publisher.requests[0]!.headers['accept-encoding']).toBe('identity');
  });

  it('is shown without what may be secret', () => {
    expect(shown('https://user:secret@example.net:8443/a/b?licence=secret#x')).toBe('https://example.net:8443/a/b');
  });
});
