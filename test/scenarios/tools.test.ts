// The tools that people look into a zone with: dig, kdig, drill, delv and host all get the right answers and understand them.
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { have } from '../support/programs.ts';
import { type RunningServer, startServer } from '../support/server.ts';

const ZONE = `
version: meridian/v1
zone: net.cat
ns: [ns1.net.cat., ns2.net.cat.]
transfer: { allow: [127.0.0.1/32] }
pools:
  moscow: { members: [203.0.113.10, "2001:db8::10"] }
  rio: { members: [203.0.113.20, "2001:db8::20"] }
records:
  "@":
    ADDR: { ttl: 30, regions: { RU: moscow, default: rio } }
    MX: 10 mail
    TXT: '"two" "strings"'
    CAA: 0 issue "ca.example.net"
  www: { CNAME: "@" }
  mail: { A: 192.0.2.25, AAAA: "2001:db8::25" }
  ns1: { A: 192.0.2.53 }
  ns2: { A: 192.0.2.54 }
  svc: { HTTPS: "1 . alpn=h2,h3", SVCB: "1 mail port=8443" }
  _sip._tcp: { SRV: 10 20 5060 mail }
  key: { SSHFP: 4 2 0000000000000000000000000000000000000000000000000000000000000000, LOC: 52 22 23.000 N 4 53 32.000 E -2.00m }
  large: { A: [${Array.from({ length: 90 }, (_, i) => `198.51.100.${i + 1}`).join(', ')}] }
  sub: { NS: [ns.sub] }
  ns.sub: { A: 192.0.2.77 }
`;

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({
    files: { 'zones/net.cat.yaml': ZONE, 'geoip/overrides.yaml': 'networks:\n  5.0.0.0/8: RU\n' },
    settings: { identity: { nsid: 'node-7', version: 'meridian', hostname: 'here' } },
  });
});
afterAll(() => server?.stop());

/** Runs a tool; it must end well, and complain of nothing. */
function run(program: string, ...args: string[]): string {
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 });
  expect(`${program} ${args.join(' ')}: ${status} ${stderr}`).toBe(`${program} ${args.join(' ')}: 0 `);
  expect(stdout).not.toMatch(/malformed|warning|extra bytes|parse error|bad packet|mismatch/i);
  return stdout;
}

/** Addresses in a text, each once, in order. */
const addresses = (text: string): string[] => [
  ...new Set(text.match(/\b(?:203\.0\.113|192\.0\.2|198\.51\.100)\.\d+\b|2001:db8::\w+/g) ?? []),
];

describe.skipIf(!have('dig'))('dig', () => {
  const dig = (...args: string[]): string =>
    run('dig', '@127.0.0.1', '-p', String(server.port), '+norecurse', '+tries=3', ...args);

  it('gets steered answers by client subnet, with their scope', () => {
    expect(addresses(dig('net.cat', '+subnet=5.6.7.0/24', '+noall', '+answer'))).toEqual(['203.0.113.10']);
    expect(addresses(dig('net.cat', '+subnet=6.6.7.0/24', '+noall', '+answer'))).toEqual(['203.0.113.20']);
    expect(dig('net.cat', '+subnet=5.6.7.0/24')).toContain('CLIENT-SUBNET: 5.6.7.0/24/8');
    expect(dig('mail.net.cat', '+subnet=5.6.7.0/24')).toContain('CLIENT-SUBNET: 5.6.7.0/24/0');
    expect(dig('net.cat', '+subnet=0/0')).toContain('CLIENT-SUBNET: 0.0.0.0/0/0');
  });

  it('gets EDNS right with options, flags and versions of every kind', () => {
    expect(dig('mail.net.cat', '+ednsopt=65001:00ff', '+ednsflags=0x4000')).toMatch(/status: NOERROR/);
    expect(dig('mail.net.cat', '+edns=7', '+noednsnegotiation')).toMatch(/status: BADVERS/);
    expect(dig('mail.net.cat', '+noedns')).not.toContain('EDNS:');
    expect(dig('mail.net.cat', '+nsid')).toContain('("node-7")');
    expect(dig('mail.net.cat', '+cookie')).toMatch(/COOKIE: [0-9a-f]{48} \(good\)/);
    expect(dig('mail.net.cat', '+tcp', '+keepalive', '+padding=128')).toMatch(/TCP KEEPALIVE: 10\.0 secs/);
    expect(dig('mail.net.cat', '+dnssec')).toMatch(/flags: do; udp: 1232/);
    expect(dig('example.org')).toMatch(/status: REFUSED.*EDE: 20 \(Not Authoritative\)/s);
  });

  it('gets what is too long for UDP over TCP by itself, and a whole zone', () => {
    expect(addresses(dig('large.net.cat', '+noall', '+answer'))).toHaveLength(90);
    expect(dig('large.net.cat', '+ignore')).toMatch(/flags: qr aa tc;.*ANSWER: 0/s);
    const zone = dig('net.cat', 'AXFR').match(/^\S+\t.*IN\t\S+\t.*$/gm) ?? [];
    expect(zone.at(0)).toContain('SOA');
    expect(zone.at(-1)).toBe(zone.at(0));
    expect(zone.length).toBeGreaterThan(100);
  });

  it('gets what the server tells of itself', () => {
    expect(dig('version.bind', 'CH', 'TXT', '+short')).toBe('"meridian"\n');
    expect(dig('id.server', 'CH', 'TXT', '+short')).toBe('"here"\n');
    expect(dig('net.cat', 'ANY')).toContain('HINFO\t"RFC8482" ""');
  });
});

describe.skipIf(!have('kdig'))('kdig', () => {
  const kdig = (...args: string[]): string =>
    run('kdig', '@127.0.0.1', '-p', String(server.port), '+norecurse', ...args);

  it('gets steered answers, options and new types', () => {
    expect(addresses(kdig('net.cat', 'AAAA', '+subnet=5.6.7.0/24', '+short'))).toEqual(['2001:db8::10']);
    const text = kdig('net.cat', '+subnet=5.6.7.0/24', '+nsid', '+cookie', '+tcp', '+padding=64');
    expect(text).toMatch(/CLIENT-SUBNET: 5\.6\.7\.0\/24\/8/);
    expect(text).toMatch(/NSID: .*node-7/s);
    expect(kdig('svc.net.cat', 'HTTPS', '+short')).toMatch(/^1 \. alpn="?h2,h3"?\n$/);
    expect(kdig('_sip._tcp.net.cat', 'SRV', '+short')).toBe('10 20 5060 mail.net.cat.\n');
    expect(kdig('x.sub.net.cat')).toMatch(/AUTHORITY: 1.*ns\.sub\.net\.cat\.\s+300\s+IN\s+A\s+192\.0\.2\.77/s);
  });
});

describe.skipIf(!have('drill'))('drill', () => {
  const drill = (...args: string[]): string => run('drill', '-p', String(server.port), ...args);

  it('gets answers, over UDP and TCP', () => {
    for (const transport of ['-u', '-t']) {
      expect(drill(transport, '-o', 'rd', '@127.0.0.1', 'www.net.cat', 'A')).toMatch(
        /rcode: NOERROR.*flags: qr aa ;.*www\.net\.cat\.\s+300\s+IN\s+CNAME\s+net\.cat\..*IN\s+A\s+203\.0\.113\.20/s,
      );
      expect(drill(transport, '@127.0.0.1', 'missing.net.cat', 'TXT')).toMatch(/rcode: NXDOMAIN.*IN\s+SOA\s+ns1/s);
      expect(drill(transport, '@127.0.0.1', 'net.cat', 'TXT')).toContain('"two" "strings"');
      expect(drill(transport, '@127.0.0.1', 'key.net.cat', 'LOC')).toContain('52 22 23.000 N 04 53 32.000 E');
    }
    expect(addresses(drill('-t', '@127.0.0.1', 'large.net.cat', 'A'))).toHaveLength(90);
  });
});

describe.skipIf(!have('delv'))('delv', () => {
  // What is signed nowhere can't be validated: -i.
  const delv = (...args: string[]): string =>
    run('delv', '@127.0.0.1', '-p', String(server.port), '-i', '+short', ...args);

  it('gets answers as a validating resolver would', () => {
    expect(delv('mail.net.cat', 'A')).toBe('192.0.2.25\n');
    expect(delv('net.cat', 'MX')).toBe('10 mail.net.cat.\n');
    expect(delv('www.net.cat', 'A').split('\n')).toContain('203.0.113.20');
    expect(delv('svc.net.cat', 'SVCB')).toBe('1 mail.net.cat. port=8443\n');
    const { stdout, stderr } = spawnSync(
      'delv',
      ['@127.0.0.1', '-p', String(server.port), '-i', '+vtrace', 'missing.net.cat', 'A'],
      { encoding: 'utf8' },
    );
    expect(stdout + stderr).toContain('resolution failed: ncache nxdomain');
  });
});

describe.skipIf(!have('host'))('host', () => {
  const host = (...args: string[]): string => run('host', '-p', String(server.port), ...args, '127.0.0.1');

  it('gets addresses, mail servers, aliases and all types by name', () => {
    expect(host('mail.net.cat')).toMatch(/has address 192\.0\.2\.25\n.*has IPv6 address 2001:db8::25/s);
    expect(host('www.net.cat')).toMatch(
      /is an alias for net\.cat\.\n.*has address 203\.0\.113\.20.*handled by 10 mail/s,
    );
    expect(host('-t', 'NS', 'net.cat')).toMatch(/name server ns1\.net\.cat\.\n.*name server ns2\.net\.cat\./s);
    expect(host('-t', 'CAA', 'net.cat')).toContain('0 issue "ca.example.net"');
    const { stdout, status } = spawnSync('host', ['-p', String(server.port), 'missing.net.cat', '127.0.0.1'], {
      encoding: 'utf8',
    });
    expect(`${status} ${stdout}`).toMatch(/^1 .*not found: 3\(NXDOMAIN\)/s);
  });
});
