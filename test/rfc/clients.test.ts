// Programs that others wrote ask the same server: dig, kdig, host, and dnspython reads every kind of answer.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ecs, OPTION, type QueryFields, query, sendTcp, sendUdp } from '../support/dns.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { zoneFiles } from '../support/static-zone.ts';
import { CHILD, EXAMPLE, OTHER } from './zones.ts';

let server: RunningServer;
beforeAll(async () => {
  const files = zoneFiles([EXAMPLE, CHILD, OTHER]);
  server = await startServer({ files, settings: { identity: { nsid: 'node-7', version: 'v', hostname: 'h' } } });
});
afterAll(() => server?.stop());

const has = (program: string): boolean => spawnSync(program, ['-v']).error === undefined;

function run(program: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  expect(`${status} ${stderr}`).toBe('0 ');
  expect(stdout).not.toMatch(/malformed|warning|extra bytes|parse error/i);
  return stdout;
}

describe.each(['dig', 'kdig'].filter(has))('%s', (program) => {
  const ask = (...args: string[]): string =>
    run(program, '@127.0.0.1', '-p', String(server.port), '+norecurse', ...args);

  it('reads a plain answer, over UDP and TCP', () => {
    for (const transport of ['+notcp', '+tcp']) {
      const text = ask('www.example.test', 'A', transport);
      expect(text).toMatch(/status: NOERROR/);
      expect(text).toMatch(/[Ff]lags:? qr aa;/);
      expect(text).toMatch(/www\.example\.test\.\s+120\s+IN\s+A\s+192\.0\.2\.80/);
    }
  });

  it('reads EDNS answers: client subnet, cookie, NSID, DO', () => {
    const text = ask('www.example.test', 'A', '+subnet=198.51.100.0/24', '+cookie', '+nsid', '+dnssec');
    expect(text).toMatch(/status: NOERROR/);
    expect(text).toMatch(/198\.51\.100\.0\/24\/0/);
    expect(text).toMatch(/node-7/);
    expect(text).toMatch(/COOKIE/i);
  });

  it('reads chains, referrals, negative answers and refusals', () => {
    expect(ask('c1.example.test', 'A').match(/CNAME/g)!.length).toBeGreaterThanOrEqual(3);
    expect(ask('x.sub.example.test', 'A')).toMatch(/ns\.sub\.example\.test\.\s+300\s+IN\s+AAAA\s+2001:db8::77/);
    expect(ask('missing.example.test', 'A')).toMatch(/status: NXDOMAIN/);
    expect(ask('example.org', 'A')).toMatch(/status: REFUSED/);
    expect(ask('types.example.test', 'NAPTR')).toMatch(/SIP\+D2U/);
    expect(ask('types.example.test', 'TYPE65280')).toMatch(/\\# 4 0A000001/i);
  });
});

describe.skipIf(spawnSync('/usr/bin/python3', ['-c', 'import dns.message']).status !== 0)('dnspython', () => {
  it('reads every answer of every kind', async () => {
    const names = [
      '',
      'www.',
      'c1.',
      'cmissing.',
      'intoloop.',
      'x.sub.',
      'sibling.',
      'x.wild.',
      'ent.',
      'nx.',
      'types.',
      'child.',
      'www.child.',
    ];
    const types = ['A', 'AAAA', 'NS', 'SOA', 'MX', 'TXT', 'SRV', 'ANY', 'CAA', 'NAPTR', 'DS', 'TYPE65280', 'AXFR'];
    const ednses = [
      null,
      {},
      { version: 1 },
      {
        flags: 0x8000,
        options: [
          ecs('2001:db8::/56'),
          { code: OPTION.COOKIE, data: Buffer.alloc(8, 1) },
          { code: OPTION.NSID, data: Buffer.alloc(0) },
          { code: OPTION.PADDING, data: Buffer.alloc(9) },
        ],
      },
      { options: [ecs('10.0.0.1/8')] },
    ];
    const asked: QueryFields[] = names.flatMap((name) =>
      types.flatMap((type) => ednses.map((edns) => ({ name: `${name}example.test.`, type, edns }))),
    );
    asked.push(
      { name: 'example.org.' },
      { name: 'version.bind.', type: 'TXT', class: 3 },
      { opcode: 4 },
      { questions: 2 },
    );
    const answers: Buffer[] = [];
    for (let from = 0; from < asked.length; from += 50) {
      const some = asked.slice(from, from + 50).map((fields, i) => ({ bytes: query(fields), tcp: i % 5 === 0 }));
      const got = await Promise.all(some.map(({ bytes, tcp }) => (tcp ? sendTcp : sendUdp)(server, bytes)));
      for (const answer of got) answers.push(answer!);
    }
    const script = fileURLToPath(new URL('../support/dnspython-messages.py', import.meta.url));
    const input = answers.map((bytes) => bytes.toString('hex')).join('\n');
    const { stdout, stderr } = spawnSync('/usr/bin/python3', [script], { input, encoding: 'utf8' });
    expect(stdout + stderr).toBe('');
    expect(answers.length).toBe(asked.length);
  });
});
