// What a host sends to a server over UDP, caught by tcpdump on its own interface.
import { existsSync, readFileSync } from 'node:fs';
import { OPTION, parse, type Reply } from './dns.ts';
import type { Host } from './internet.ts';

/** Bytes before a DNS message in a file of tcpdump: a record's header, Ethernet's, IPv4's without options, UDP's. */
const BEFORE = 16 + 14 + 20 + 8;

/** Sees the queries that a host sends to a server. */
export class Sniffer {
  readonly #file: string;
  #marker = 0;
  #read = 0;

  constructor(
    readonly host: Host,
    readonly server: Host,
  ) {
    this.#file = `${host.directory}/packets`;
    const filter = `udp and dst port 53 and dst host ${server.address}`;
    host.start('tcpdump', '-n', '-i', 'eth0', '-Z', 'root', '--immediate-mode', '-U', '-w', this.#file, filter);
  }

  /** All queries since the last call. A query of its own tells when the file has everything. */
  async since(): Promise<Reply[]> {
    const marker = `marker${++this.#marker}.`;
    for (let i = 0; i < 400; i++) {
      if (existsSync(this.#file)) {
        this.host.run('dig', `@${this.server.address}`, '+tries=2', marker, 'TXT');
        const all = queriesOf(readFileSync(this.#file));
        if (all.some(({ questions: [q] }) => q?.name === marker)) {
          const fresh = all.slice(this.#read);
          this.#read = all.length;
          return fresh.filter(({ questions: [q] }) => !q?.name.startsWith('marker'));
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('tcpdump saw nothing');
  }
}

function queriesOf(bytes: Buffer): Reply[] {
  const queries: Reply[] = [];
  for (let p = 24; p + BEFORE <= bytes.length; ) {
    const length = bytes.readUInt32LE(p + 8);
    if (p + 16 + length > bytes.length) break;
    queries.push(parse(bytes.subarray(p + BEFORE, p + 16 + length)));
    p += 16 + length;
  }
  return queries;
}

/** The client subnet options of a message, as text: `192.0.2.0/24`, `none` where there is none, several with a comma. */
export function subnets(message: Reply): string {
  const texts = (message.opt?.options ?? [])
    .filter(({ code }) => code === OPTION.ECS)
    .map(({ data }) => {
      const bytes = Buffer.from(data);
      const family = bytes.readUInt16BE(0);
      const address = Buffer.concat([bytes.subarray(4), Buffer.alloc(16)]);
      const text =
        family === 2
          ? [0, 2, 4, 6, 8, 10, 12, 14].map((o) => address.readUInt16BE(o).toString(16)).join(':')
          : [...address.subarray(0, 4)].join('.');
      return `${text}/${bytes[2]}`;
    });
  return texts.length === 0 ? 'none' : texts.join(', ');
}
