// The world of the tests of resolvers: one server that is root, parent and steered zones, clients in four places, resolvers in Poland.
import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Host, Internet } from '../support/internet.ts';
import type { Start } from '../support/resolvers.ts';

const SERVER = '198.18.0.11';

const ROOT = `
version: meridian/v1
zone: .
ns: [a.root.]
records:
  a.root: { A: ${SERVER} }
  net.cat: { NS: [ns1.net.cat.] }
  ns1.net.cat: { A: ${SERVER} }
  other.cat: { NS: [ns1.net.cat.] }
`;
const NET_CAT = `
version: meridian/v1
zone: net.cat
soa: { minimum: 60 }
ns: [ns1.net.cat.]
pools:
  moscow: { members: [203.0.113.10] }
  rio: { members: [203.0.113.20, "2001:db8::20"] }
  warsaw: { members: [203.0.113.30] }
  nowhere: { members: [203.0.113.40] }
  lower: { members: [203.0.113.61] }
  upper: { members: [203.0.113.62] }
  first: { members: [203.0.113.71] }
  second: { members: [203.0.113.72] }
  cdn-ru: { members: [ru.other.cat.] }
  cdn: { members: [all.other.cat.] }
records:
  ns1: { A: ${SERVER} }
  "*.user": { ADDR: { ttl: 600, regions: { RU: moscow, BR: rio, PL: warsaw, default: nowhere } } }
  "*.city":
    ADDR: { ttl: 600, regions: { "city:RU/Moscow": moscow, "city:BR/Rio de Janeiro": rio, "city:PL/Warsaw": warsaw, default: nowhere } }
  "*.halves": { A: { ttl: 600, regions: { 201.17.0.0/25: lower, 201.17.0.128/25: upper, default: nowhere } } }
  "*.static": { A: { ttl: 600, values: [192.0.2.1] } }
  "*.zero": { A: { ttl: 0, values: [192.0.2.1] } }
  "*.two": { A: { ttl: 2, values: [192.0.2.1] } }
  "*.moves": { A: { ttl: 5, pools: [first, second] } }
  "*.list": { A: { ttl: 600, values: [192.0.2.9, 192.0.2.2, 192.0.2.7, 192.0.2.4] } }
  "*.inside": { CNAME: inside.user }
  "*.alias": { CNAME: { ttl: 600, regions: { RU: cdn-ru, default: cdn } } }
`;
const OTHER_CAT = `
version: meridian/v1
zone: other.cat
ns: [ns1.net.cat.]
records:
  ru: { A: { ttl: 600, values: [192.0.2.81] } }
  all: { A: { ttl: 600, values: [192.0.2.82] } }
`;

/** Everybody, at addresses that the embedded database knows; nothing leaves the bridge. */
export interface World {
  readonly internet: Internet;
  readonly server: Host;
  readonly moscow: Host;
  readonly rio: Host;
  /** In the other half of that /24. */
  readonly rioUpper: Host;
  /** At a private address. */
  readonly home: Host;
  /** A resolver that runs on a host in Poland, towards the server or another resolver. */
  resolver(start: Start, towards?: Host): Promise<Host>;
}

/** Builds it; `close` of its internet ends it. @param database a file of the operator's beside the embedded one */
export async function world(database: string | null = null): Promise<World> {
  const internet = new Internet();
  const server = internet.host(SERVER);
  const moscow = internet.host('77.88.55.60', '2a02:6b8::feed:ff');
  const rio = internet.host('201.17.0.10');
  const rioUpper = internet.host('201.17.0.200');
  const home = internet.host('10.1.1.10');
  if (database !== null) {
    mkdirSync(join(server.directory, 'geoip'));
    symlinkSync(database, join(server.directory, 'geoip', basename(database)));
  }
  await server.meridian(
    { 'zones/root.yaml': ROOT, 'zones/net.cat.yaml': NET_CAT, 'zones/other.cat.yaml': OTHER_CAT },
    'net.cat',
    'rate-limit: off\n',
    // A city database takes its time.
    database === null ? undefined : 300_000,
  );
  let resolvers = 0;
  const resolver = async (start: Start, towards = server): Promise<Host> => {
    const number = 53 + resolvers++;
    const host = internet.host(`83.0.0.${number}`, `2a01:1100::${number}`);
    await start(host, towards, 'net.cat');
    return host;
  };
  return { internet, server, moscow, rio, rioUpper, home, resolver };
}

/** The first address that a client gets, or the RCODE where there is none, or `silence`. */
export function firstAddress(client: Host, resolver: Host, ...args: string[]): string {
  const { status, records } = askAs(client, resolver, ...args);
  return records.find(({ type }) => type === 'A' || type === 'AAAA')?.data ?? status;
}

/** What dig prints of an answer. */
export interface Answer {
  readonly status: string;
  readonly records: readonly { readonly ttl: number; readonly type: string; readonly data: string }[];
}

/** Asks a resolver as a client; `silence` where no answer comes. Many are asked at once while they start: it tries again. */
export function askAs(client: Host, resolver: Host, ...args: string[]): Answer {
  let text: string;
  try {
    text = client.run('dig', `@${resolver.address}`, '+tries=4', '+timeout=2', ...args);
  } catch {
    return { status: 'silence', records: [] };
  }
  const lines = /^;; ANSWER SECTION:\n(.*?)\n\n/ms.exec(text)?.[1]?.split('\n') ?? [];
  const records = lines.map((line) => {
    const [, ttl, , type, ...data] = line.split(/\s+/);
    return { ttl: Number(ttl), type: type!, data: data.join(' ') };
  });
  return { status: /status: ([A-Z]+)/.exec(text)?.[1] ?? 'silence', records };
}
