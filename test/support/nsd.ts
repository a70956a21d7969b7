// A real NSD with the zones of a test, as the judge of what an answer must be.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { query, type Server, sendUdp } from './dns.ts';
import { freePort } from './ports.ts';

/** Whether NSD is installed here. */
export const hasNsd = spawnSync('nsd', ['-v']).error === undefined;

export interface RunningNsd extends Server {
  stop(): Promise<void>;
}

/**
 * Starts it.
 * @param zones master files by zone name
 */
export async function startNsd(zones: Readonly<Record<string, string>>): Promise<RunningNsd> {
  const directory = mkdtempSync(join(tmpdir(), 'nsd-'));
  const port = await freePort();
  const names = Object.keys(zones);
  const files = names.map((_, i) => join(directory, `zone${i}`));
  names.forEach((name, i) => {
    writeFileSync(files[i]!, zones[name]!);
  });
  const conf = `
server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${directory}"
  database: ""
  pidfile: "${directory}/pid"
  xfrdfile: "${directory}/xfrd"
  xfrdir: "${directory}"
  zonelistfile: "${directory}/zonelist"
  minimal-responses: yes
  rrl-ratelimit: 0
  verbosity: 0
remote-control:
  control-enable: no
${names.map((name, i) => `zone:\n  name: "${name}"\n  zonefile: "${files[i]}"\n`).join('')}`;
  writeFileSync(join(directory, 'nsd.conf'), conf);
  const child = spawn('nsd', ['-d', '-c', join(directory, 'nsd.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
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
  for (let tries = 0; ; tries++) {
    // SERVFAIL for every zone: its file has a mistake.
    const answers = await Promise.all(
      names.map((name) => sendUdp(server, query({ name, type: 'SOA' }), 100).catch(() => null)),
    );
    if (answers.every((answer) => answer !== null && (answer[3]! & 15) === 0)) return { ...server, stop };
    if (tries === 50 || child.exitCode !== null) {
      await stop();
      throw new Error(`nsd does not serve every zone: ${output}`);
    }
  }
}
