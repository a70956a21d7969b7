// Stories about state/ on a bad disk share a zone, a server on it, and what operators see of it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningServer, type ServerOptions, startServer } from './server.ts';
import { admin, got, until } from './story.ts';

export const [ONE, TWO] = ['disk.test/a/192.0.2.1', 'disk.test/a/192.0.2.2'] as const;

export const zone = (address: string): string => `version: meridian/v1
zone: disk.test
ns: [ns.example.net.]
pools: { a: { members: [192.0.2.1, 192.0.2.2] } }
records:
  www: { A: { ttl: 5, pools: [a] } }
  one: { A: ${address} }
`;

export class DiskStory {
  readonly server: RunningServer;

  constructor(server: RunningServer) {
    this.server = server;
  }

  static async start(directory: string, more: Partial<ServerOptions> = {}): Promise<DiskStory> {
    const files = { 'zones/disk.test.yaml': zone('192.0.2.9'), ...more.files };
    return new DiskStory(await startServer({ directory, ...more, files, settings: { workers: 1, ...more.settings } }));
  }

  /** Starts again on what is there, zones included. */
  static async again(directory: string, more: Partial<ServerOptions> = {}): Promise<DiskStory> {
    const text = readFileSync(join(directory, 'zones', 'disk.test.yaml'), 'utf8');
    return DiskStory.start(directory, { ...more, files: { 'zones/disk.test.yaml': text } });
  }

  www(): Promise<string> {
    return got(this.server, 'www.disk.test');
  }

  /** Writes another address into the zone file and waits until it is served. */
  async edit(address: string): Promise<void> {
    writeFileSync(join(this.server.directory, 'zones', 'disk.test.yaml'), zone(address));
    await until(
      () => got(this.server, 'one.disk.test'),
      (seen) => seen === address,
      30_000,
    );
  }

  /** What the reply says of storing it. */
  async force(id: string, state: 'down' | 'drain' | 'up', time: string): Promise<boolean> {
    const path = `/api/v1/targets/${encodeURIComponent(id)}/force`;
    const { status, json } = await admin(this.server, 'PUT', path, { state, for: time, reason: 'a test' });
    if (status !== 200) throw new Error(JSON.stringify(json));
    return json.stored;
  }

  async lift(id: string): Promise<boolean> {
    const { status, json } = await admin(this.server, 'DELETE', `/api/v1/targets/${encodeURIComponent(id)}/force`);
    if (status !== 200) throw new Error(JSON.stringify(json));
    return json.stored;
  }

  /** Whether status, metric and warnings say that something is unsaved: all of them or none. */
  async isUnsaved(): Promise<boolean> {
    const { json } = await admin(this.server, 'GET', '/api/v1/status');
    const problems = (json.problems as { code: string }[]).filter(({ code }) => code === 'state-unsaved');
    const warned = (json.warnings as string[]).some((line) => line.startsWith('state-unsaved: '));
    const metrics = await (await fetch(`${this.server.admin}/metrics`)).text();
    const metric = /^meridian_state_unsaved (\d)$/m.exec(metrics)?.[1];
    const told = [problems.length > 0, warned, metric === '1'];
    // Between two questions it may have changed.
    if (new Set(told).size > 1) return this.isUnsaved();
    return told[0]!;
  }

  untilSaved(): Promise<number> {
    return until(
      () => this.isUnsaved(),
      (unsaved) => !unsaved,
      30_000,
    );
  }

  untilUnsaved(): Promise<number> {
    return until(
      () => this.isUnsaved(),
      (unsaved) => unsaved,
      30_000,
    );
  }

  async ready(): Promise<number> {
    return (await fetch(`${this.server.admin}/readyz`)).status;
  }

  /** Kinds of the events that tell of storing. */
  async told(): Promise<string[]> {
    const { json } = await admin(this.server, 'GET', '/api/v1/events?limit=1000');
    return (json.events as { type: string }[]).map(({ type }) => type).filter((type) => type.startsWith('state-'));
  }

  /** Lines of the log with this event. */
  logged(event: string): number {
    return this.server.output().split(`"event":"${event}"`).length - 1;
  }
}
