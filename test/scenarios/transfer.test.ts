// Secondaries of other makes copy a zone from a real server, hear of its changes, and keep strangers out.
import { execFileSync } from 'node:child_process';
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NotifyView, ZoneDetail } from '../../dist/api/views.js';
import { ask, ecs, OPTION, optionOf, parse, record, type Server } from '../support/dns.ts';
import { freePort } from '../support/ports.ts';
import { have } from '../support/programs.ts';
import { type Secondary, type SecondaryKind, startSecondary } from '../support/secondaries.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, until } from '../support/story.ts';

const KINDS: readonly SecondaryKind[] = ['nsd', 'knotd', 'named'];
const ZONE = 'moved.test';
/** More than fit into one message of a transfer. */
const HOSTS = 3_000;

let directory: string;
let server: RunningServer;
let ports: Record<SecondaryKind, number>;

/** The zone with everything that a transfer has to get right; `mail` is what an edit changes. */
function zone(mail: string, notify: readonly number[]): string {
  const hosts = Array.from(
    { length: HOSTS },
    (_, i) => `  h${i}: { A: 10.0.${i >> 8}.${i & 255}, TXT: ["host ${i}"] }`,
  );
  return `
zone: ${ZONE}
ttl: 300
ns: [ns1, ns.elsewhere.test.]
transfer: { allow: [127.0.0.1/32], notify: [${notify.map((port) => `"127.0.0.1:${port}"`).join(', ')}] }
pools:
  near: { at: [55.75, 37.62], members: [203.0.113.10, { address: 203.0.113.11, weight: 0 }, "2001:db8::10"] }
  far: { at: [40.7, -74.0], members: [203.0.113.20] }
  cdn: { members: [lb1.elsewhere.test., lb2.elsewhere.test.] }
records:
  "@":
    ADDR: { ttl: { max: 120, min: 10 }, regions: { RU: near, default: [far, near] } }
    MX: ["10 mail"]
  ns1: { A: 192.0.2.53 }
  mail: { A: ${mail} }
  api: { ADDR: { ttl: 60, answers: 1, pools: [near, far] } }
  media: { CNAME: { ttl: 60, pools: [cdn] } }
  _sip._udp: { SRV: ["0 5 5060 mail"] }
  svc: { HTTPS: ["1 . alpn=h2"] }
  odd: { TYPE65300: ["\\\\# 3 abcdef"] }
  sub: { NS: [ns.sub], DS: ["1 8 2 ${'ab'.repeat(32)}"] }
  ns.sub: { A: 192.0.2.77 }
  www.sub: { A: 192.0.2.78 }
  "*.user": { TXT: ["anybody"] }
${hosts.join('\n')}
`;
}

/** Files are replaced whole, as editors and deployments do it. */
function write(text: string): void {
  const file = join(directory, 'zones', `${ZONE}.yaml`);
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'transfer-'));
  ports = { nsd: await freePort(), knotd: await freePort(), named: await freePort() };
  server = await startServer({
    directory,
    files: { [`zones/${ZONE}.yaml`]: zone('192.0.2.25', Object.values(ports)) },
    settings: { listen: [`127.0.0.1:${await freePort()}`, '[::1]:0'] },
  });
});

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const serialOf = async (of: Server): Promise<number> => {
  const reply = await ask(of, { name: ZONE, type: 'SOA' });
  return Number(reply.answers[0]!.data.split(' ')[2]);
};

/** A transfer as dig gets it from a server: one sorted line a record, in its own words. */
function dig(from: Server, type = 'AXFR'): string[] {
  const args = [`@${from.host}`, '-p', String(from.port), ZONE, type, '+tcp', '+nocomments', '+nocmd', '+nostats'];
  const text = execFileSync('dig', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
  return lines.map((line) => line.replace(/\s+/g, ' ')).sort();
}

describe.skipIf(!have('dig'))('a transfer to dig', () => {
  test('has every record of the file, the SOA twice, and the first pool of default in place of steering', () => {
    const lines = dig(server);
    const of = (name: string): string[] => lines.filter((line) => line.startsWith(`${name} `));
    expect(lines.filter((line) => line.includes(' SOA '))).toHaveLength(2);
    expect(of(`${ZONE}.`).filter((line) => / (A|AAAA) /.test(line))).toEqual([`${ZONE}. 120 IN A 203.0.113.20`]);
    expect(of(`api.${ZONE}.`)).toEqual([`api.${ZONE}. 60 IN A 203.0.113.10`, `api.${ZONE}. 60 IN AAAA 2001:db8::10`]);
    expect(of(`media.${ZONE}.`)).toEqual([`media.${ZONE}. 60 IN CNAME lb1.elsewhere.test.`]);
    expect(of(`ns.sub.${ZONE}.`)).toEqual([`ns.sub.${ZONE}. 300 IN A 192.0.2.77`]);
    expect(of(`www.sub.${ZONE}.`)).toEqual([`www.sub.${ZONE}. 300 IN A 192.0.2.78`]);
    expect(of(`h2999.${ZONE}.`)).toEqual([
      `h2999.${ZONE}. 300 IN A 10.0.11.183`,
      `h2999.${ZONE}. 300 IN TXT "host 2999"`,
    ]);
    expect(new Set(lines).size).toBe(lines.length - 1);
    expect(lines).toHaveLength(2 + 17 + 2 * HOSTS);
  });

  test('is the same for IXFR from an old serial, and one SOA for IXFR from this one', async () => {
    const serial = await serialOf(server);
    expect(dig(server, `IXFR=${serial - 1}`)).toEqual(dig(server));
    expect(dig(server, `IXFR=${serial}`)).toEqual([expect.stringContaining(` SOA ns1.${ZONE}. `)]);
  });

  test.skipIf(!have('kdig'))('is the same to kdig', () => {
    const args = ['@127.0.0.1', '-p', String(server.port), ZONE, 'AXFR', '+nocomments', '+nostats', '+nocrypto'];
    const text = execFileSync('kdig', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    const records = text.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
    expect(records).toHaveLength(dig(server).length);
  });
});

describe('who is not allowed', () => {
  test('is REFUSED, by address and not by what the client says of itself', async () => {
    for (const type of ['AXFR', 'IXFR']) {
      const edns = { options: [ecs('127.0.0.1/32')] };
      const authorities = type === 'IXFR' ? [record(ZONE, 'SOA', Buffer.alloc(22))] : [];
      for (const tcp of [true, false]) {
        const reply = await ask(server.v6, { name: ZONE, type, tcp, edns, authorities });
        expect(reply).toMatchObject({ rcode: 'REFUSED', aa: false, answers: [] });
        expect(optionOf(reply, OPTION.EDE)).toEqual(Buffer.from([0, 18]));
      }
    }
  });
});

/** Starts a secondary that is stopped with the test. */
async function secondaryOf(kind: SecondaryKind, ended: (stop: () => Promise<void>) => void): Promise<Secondary> {
  const secondary = await startSecondary(kind, ZONE, ports[kind], server);
  ended(() => secondary.stop());
  return secondary;
}

/** What the server says of its secondaries. */
async function notices(): Promise<NotifyView[]> {
  const { json } = await admin(server, 'GET', `/api/v1/zones/${ZONE}`);
  return [...((json as ZoneDetail).transfer?.notify ?? [])];
}

describe.each(KINDS)('%s as a secondary', (kind) => {
  test.skipIf(!have(kind, 'dig'))('copies the zone, and again when it hears of an edit', async ({ onTestFinished }) => {
    const secondary = await secondaryOf(kind, onTestFinished);
    const serial = await serialOf(server);
    await until(secondary.serial, (seen) => seen === serial);
    expect(dig(secondary)).toEqual(dig(server));

    const mail = { nsd: '192.0.2.31', knotd: '192.0.2.32', named: '192.0.2.33' }[kind];
    write(zone(mail, Object.values(ports)));
    await until(
      () => serialOf(server),
      (seen) => seen > serial,
    );
    const next = await serialOf(server);
    await until(secondary.serial, (seen) => seen === next);
    expect(dig(secondary)).toEqual(dig(server));
    expect(dig(secondary)).toContain(`mail.${ZONE}. 300 IN A ${mail}`);
    await until(notices, (seen) =>
      seen.some((n) => n.secondary.endsWith(`:${ports[kind]}`) && n.serial === next && n.state === 'acknowledged'),
    );
  });
});

describe('a secondary that was away', () => {
  test.skipIf(!have('knotd'))('is told again until it hears', async ({ onTestFinished }) => {
    // Nobody listens there: the first messages are lost.
    write(zone('192.0.2.41', Object.values(ports)));
    const of = (seen: NotifyView[]) => seen.find((n) => n.secondary.endsWith(`:${ports.knotd}`));
    const serial = await serialOf(server);
    await until(notices, (seen) => of(seen)!.serial > serial && of(seen)!.tries >= 1);
    await secondaryOf('knotd', onTestFinished);
    await until(notices, (seen) => of(seen)!.state === 'acknowledged');
    expect(of(await notices())!.tries).toBeGreaterThan(1);
  });
});

describe('the serial', () => {
  test('stays over a restart, grows with an edit made meanwhile, and secondaries are told at the start', async () => {
    const before = await serialOf(server);
    const { port } = server;
    const restart = async (): Promise<void> => {
      await server.stop();
      server = await startServer({ directory, files: {}, settings: { listen: [`127.0.0.1:${port}`, '[::1]:0'] } });
    };
    await restart();
    expect(await serialOf(server)).toBe(before);

    const secondary = createSocket('udp4').bind(0, '127.0.0.1');
    await once(secondary, 'listening');
    write(zone('192.0.2.50', [secondary.address().port]));
    const told = once(secondary, 'message') as Promise<[Buffer, RemoteInfo]>;
    await restart();
    const after = await serialOf(server);
    expect(after).toBeGreaterThan(before);
    const [message] = await told;
    secondary.close();
    expect(parse(message)).toMatchObject({
      opcode: 4,
      qr: false,
      aa: true,
      questions: [{ name: `${ZONE}.`, type: 'SOA', class: 1 }],
      answers: [{ name: `${ZONE}.`, type: 'SOA', data: expect.stringContaining(` ${after} `) }],
    });
  });
});
