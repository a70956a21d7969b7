// A real gdnsd with maps, databases and states of a test: another GeoDNS server to compare with.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { query, type Server, sendUdp } from './dns.ts';
import { freePort } from './ports.ts';

/** Whether gdnsd is installed here. */
export const hasGdnsd = spawnSync('gdnsd', ['-h']).error === undefined;

export interface GdnsdOptions {
  readonly zone: string;
  /** Resource of the geoip plugin by name (`www` is `www.ZONE`): the text of its hash, without service_types. */
  readonly resources: Readonly<Record<string, string>>;
  /** Maps of the geoip plugin; `test.mmdb` is the database. */
  readonly maps: string;
  readonly database: Uint8Array;
}

export interface RunningGdnsd extends Server {
  /** Says which addresses are down (all others are up), and waits until gdnsd knows; its answers follow within a second. */
  down(...addresses: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it; rejects with its output when it doesn't serve. */
export async function startGdnsd({ zone, resources, maps, database }: GdnsdOptions): Promise<RunningGdnsd> {
  const directory = mkdtempSync(join(tmpdir(), 'gdnsd-'));
  for (const name of ['geoip', 'zones', 'run', 'state']) mkdirSync(join(directory, name));
  const port = await freePort();
  const states = join(directory, 'states');
  const names = Object.keys(resources);
  const sets = names.map((name) => `${name} => { service_types => st, ${resources[name]} }`).join('\n');
  writeFileSync(
    join(directory, 'config'),
    `options => { listen => "127.0.0.1:${port}", run_dir => "${directory}/run", state_dir => "${directory}/state",
  udp_threads => 1, tcp_threads => 1 }
service_types => { st => { plugin => extfile, file => "${states}", direct => true } }
plugins => { geoip => { maps => { ${maps} } resources => { ${sets} } } }
`,
  );
  const records = names.map((name) => `${name} 30 DYNA geoip!${name}`).join('\n');
  const head = '@ SOA ns1 hostmaster ( 1 7200 1800 259200 60 )\n@ NS ns1\nns1 A 192.0.2.53';
  writeFileSync(join(directory, 'zones', zone), `${head}\n${records}\n`);
  writeFileSync(join(directory, 'geoip', 'test.mmdb'), database);
  writeFileSync(states, '');
  const child = spawn('gdnsd', ['-c', directory, 'start'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const server = { host: '127.0.0.1', port };
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  };
  const down = async (...addresses: string[]): Promise<void> => {
    writeFileSync(`${states}.new`, addresses.map((address) => `${address} => DOWN\n`).join(''));
    renameSync(`${states}.new`, states);
    for (let tries = 0; ; tries++) {
      const { stdout } = spawnSync('gdnsdctl', ['-c', directory, 'states'], { encoding: 'utf8' });
      if (sameStates(stdout, addresses)) return;
      if (tries === 300) throw new Error(`gdnsd does not take the states: ${stdout}\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  for (let tries = 0; ; tries++) {
    const answer = await sendUdp(server, query({ name: zone, type: 'SOA' }), 100).catch(() => null);
    if (answer !== null && (answer[3]! & 15) === 0) return { ...server, down, stop };
    if (tries === 50 || child.exitCode !== null) {
      await stop();
      throw new Error(`gdnsd does not serve the zone: ${output}`);
    }
  }
}

/** Whether exactly these addresses are down in what `gdnsdctl states` prints. */
function sameStates(text: string, addresses: readonly string[]): boolean {
  let states: Record<string, { state: string } | string>;
  try {
    states = JSON.parse(text) as typeof states;
  } catch {
    return false;
  }
  const down = Object.entries(states)
    .filter(([name, value]) => name.endsWith('/st') && JSON.stringify(value).includes('DOWN'))
    .map(([name]) => name.slice(0, -'/st'.length));
  return [...down].sort().join(' ') === [...addresses].sort().join(' ');
}
