// Real name servers that copy a zone from a primary on loopback, and take its NOTIFYs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, type Server } from './dns.ts';
import { Program } from './programs.ts';

export type SecondaryKind = 'nsd' | 'knotd' | 'named';

export interface Secondary extends Server {
  readonly kind: SecondaryKind;
  /** The serial of the zone that it serves; null: none yet. */
  serial(): Promise<number | null>;
  output(): string;
  stop(): Promise<void>;
}

const ARGUMENTS: Readonly<Record<SecondaryKind, (conf: string) => string[]>> = {
  nsd: (conf) => ['-d', '-c', conf],
  knotd: (conf) => ['-c', conf],
  named: (conf) => ['-g', '-c', conf],
};

function configuration(kind: SecondaryKind, directory: string, zone: string, port: number, primary: Server): string {
  switch (kind) {
    case 'nsd':
      return `
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
  xfrd-reload-timeout: 0
  verbosity: 2
remote-control:
  control-enable: no
zone:
  name: "${zone}"
  zonefile: "${directory}/zone"
  allow-notify: 127.0.0.1 NOKEY
  request-xfr: ${primary.host}@${primary.port} NOKEY
  provide-xfr: 127.0.0.1 NOKEY
`;
    case 'knotd':
      return `
server:
  listen: 127.0.0.1@${port}
  rundir: ${directory}
log:
  - target: stderr
    any: info
database:
  storage: ${directory}
remote:
  - id: primary
    address: ${primary.host}@${primary.port}
acl:
  - id: loopback
    address: 127.0.0.1
    action: [notify, transfer]
template:
  - id: default
    storage: ${directory}
    semantic-checks: on
zone:
  - domain: ${zone}
    master: primary
    acl: loopback
`;
    case 'named':
      return `
options {
  directory "${directory}";
  pid-file "${directory}/pid";
  session-keyfile "${directory}/key";
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
  notify no;
  allow-transfer { 127.0.0.1; };
  check-names secondary fail;
};
controls { };
zone "${zone}" {
  type secondary;
  file "zone";
  primaries { ${primary.host} port ${primary.port}; };
};
`;
  }
}

/** Starts it; resolves when it answers anything, with or without the zone. */
export async function startSecondary(
  kind: SecondaryKind,
  zone: string,
  port: number,
  primary: Server,
): Promise<Secondary> {
  const directory = mkdtempSync(join(tmpdir(), `${kind}-`));
  const conf = join(directory, 'conf');
  writeFileSync(conf, configuration(kind, directory, zone, port, primary));
  const program = new Program(kind, ARGUMENTS[kind](conf));
  const server = { host: '127.0.0.1', port };
  const soa = () => ask(server, { name: zone, type: 'SOA', tcp: true }).catch(() => null);
  const stop = async (): Promise<void> => {
    await program.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await program.until(async () => (await soa()) !== null);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...server,
    kind,
    serial: async () => {
      const record = (await soa())?.answers.find(({ type }) => type === 'SOA');
      return record === undefined ? null : Number(record.data.split(' ')[2]);
    },
    output: () => program.output,
    stop,
  };
}
