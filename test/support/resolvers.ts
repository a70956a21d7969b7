// Real resolvers and forwarders on hosts of a test's own internet, each set up as its manual says, client subnets on where it has them.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Host } from './internet.ts';
import { have, lacking } from './programs.ts';

/** How one is started: on a host, towards the server that is root, parent and zone in one. @param zone one that it must answer for */
export type Start = (host: Host, server: Host, zone: string) => Promise<void>;

/** Hints that name the server as the root. */
const hints = (host: Host, server: Host): string =>
  host.write('hints', `. 3600000 NS a.root.\na.root. 3600000 A ${server.address}\n`);

/** A line of a configuration for each address of a host. */
const forEach = (host: Host, line: (address: string) => string): string => host.addresses.map(line).join('\n');

/** Unbound, with these lines in its server clause. */
const unboundWith =
  (...lines: string[]): Start =>
  (host, server, zone) => {
    const file = host.write(
      'unbound.conf',
      `server:
  directory: "${host.directory}"
  chroot: ""
  username: ""
  pidfile: ""
  do-daemonize: no
  use-syslog: no
${forEach(host, (address) => `  interface: ${address}`)}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  root-hints: "${hints(host, server)}"
  num-threads: 1
  ${lines.join('\n  ')}
remote-control:
  control-enable: no
`,
    );
    return host.answers(host.start('unbound', '-d', '-c', file), zone);
  };

export const unbound: Start = unboundWith('module-config: "iterator"');

/** With client subnets for whatever is asked of the server. */
export const unboundSubnets: Start = (host, server, zone) =>
  unboundWith('module-config: "subnetcache iterator"', `send-client-subnet: ${server.address}`)(host, server, zone);

/** With client subnets for one zone alone. */
export const unboundSubnetsFor =
  (zone: string): Start =>
  (host, server, ready) =>
    unboundWith('module-config: "subnetcache iterator"', `client-subnet-zone: "${zone}"`)(host, server, ready);

export const bind: Start = (host, server, zone) => {
  const file = host.write(
    'named.conf',
    `options {
  directory "${host.directory}"; pid-file none; session-keyfile none; managed-keys-directory "${host.directory}";
  listen-on { ${host.address}; }; listen-on-v6 { ${host.addresses[1] ?? 'none'}; };
  recursion yes; allow-query { any; }; allow-recursion { any; }; allow-query-cache { any; };
  dnssec-validation no; empty-zones-enable no;
};
controls { };
zone "." { type hint; file "${hints(host, server)}"; };
`,
  );
  return host.answers(host.start('named', '-g', '-n', '1', '-c', file), zone);
};

/** Its own default leaves private clients out of client subnets. */
export const pdnsRecursor: Start = (host, server, zone) => {
  host.write(
    'recursor.conf',
    `local-address=${host.addresses.join(',')}
allow-from=0.0.0.0/0,::/0
dont-query=
hint-file=${hints(host, server)}
dnssec=off
threads=1
pdns-distributes-queries=no
max-cache-ttl=86400
socket-dir=${host.directory}
edns-subnet-allow-list=${server.address}/32
use-incoming-edns-subnet=yes
write-pid=no
`,
  );
  return host.answers(host.start('pdns_recursor', `--config-dir=${host.directory}`, '--daemon=no'), zone);
};

export const knotResolver: Start = (host, server, zone) => {
  const file = host.write(
    'kresd.conf',
    `${forEach(host, (address) => `net.listen('${address}', 53, { kind = 'dns' })`)}
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('ta_sentinel')
trust_anchors.remove('.')
cache.open(10 * MB, 'lmdb://${host.directory}/cache')
modules.load('hints')
hints.root({ ['a.root.'] = '${server.address}' })
`,
  );
  return host.answers(host.start('kresd', '--noninteractive', '-c', file, host.directory), zone);
};

const dnsmasqWith =
  (...options: string[]): Start =>
  (host, server, zone) =>
    host.answers(
      host.start(
        'dnsmasq',
        '--keep-in-foreground',
        '--conf-file=/dev/null',
        '--no-resolv',
        '--no-hosts',
        '--user=root',
        '--pid-file',
        '--log-facility=-',
        '--bind-interfaces',
        ...host.addresses.map((address) => `--listen-address=${address}`),
        `--server=${server.address}`,
        ...options,
      ),
      zone,
    );

export const dnsmasq: Start = dnsmasqWith();
export const dnsmasqSubnets: Start = dnsmasqWith('--add-subnet=24,56');

/** With a cache that keeps subnets apart. */
export const dnsdist: Start = (host, server, zone) => {
  const file = host.write(
    'dnsdist.conf',
    `${forEach(host, (address) => `addLocal('${address.includes(':') ? `[${address}]` : address}:53')`)}
setACL({'0.0.0.0/0', '::/0'})
setSecurityPollSuffix('')
newServer({ address = '${server.address}:53', useClientSubnet = true })
getPool(''):setCache(newPacketCache(10000, { parseECS = true }))
`,
  );
  return host.answers(host.start('dnsdist', '--supervised', '-C', file), zone);
};

/** As its own configuration file has it: it asks for privacy. Over IPv4 alone: it runs beside its client. */
export const stubby: Start = (host, server, zone) => {
  const file = host.write(
    'stubby.yml',
    `resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list: [GETDNS_TRANSPORT_UDP, GETDNS_TRANSPORT_TCP]
edns_client_subnet_private: 1
round_robin_upstreams: 0
idle_timeout: 10000
appdata_dir: "${host.directory}"
listen_addresses: [${host.address}]
upstream_recursive_servers: [{ address_data: ${server.address} }]
`,
  );
  return host.answers(host.start('stubby', '-C', file), zone);
};

/** Where systemd-resolved is. Its package makes itself the machine's resolver, so it may also be unpacked into a folder, which RESOLVED_ROOT names. */
function resolvedRoot(): string | null {
  const roots = [process.env.RESOLVED_ROOT, ''].filter((root) => root !== undefined);
  return roots.find((root) => existsSync(`${root}/lib/systemd/systemd-resolved`)) ?? null;
}

export const systemdResolved: Start = (host, server, zone) => {
  const root = resolvedRoot();
  const conf = host.write(
    'resolved.conf',
    `[Resolve]
DNS=${server.address}
FallbackDNS=
Domains=~.
DNSSEC=no
LLMNR=no
MulticastDNS=no
DNSStubListener=no
${forEach(host, (address) => `DNSStubListenerExtra=${address}`)}
`,
  );
  // In a mount namespace, which ip netns exec makes: no bus, a /run and a configuration of its own, and a user that Debian's package would add.
  const passwd = host.write('passwd', `root:x:0:0::/:/bin/sh\nsystemd-resolve:x:0:0::/:/bin/sh\n`);
  const script = `set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/resolve
mount --bind ${passwd} /etc/passwd
mount -t tmpfs tmpfs /etc/systemd
cp ${conf} /etc/systemd/resolved.conf
export LD_LIBRARY_PATH=${root}/usr/lib/x86_64-linux-gnu/systemd SYSTEMD_LOG_TARGET=console
exec ${root}/lib/systemd/systemd-resolved`;
  return host.answers(host.start('sh', '-c', script), zone);
};

/** Whether systemd-resolved is there. */
export const haveResolved = (): boolean =>
  resolvedRoot() !== null ||
  lacking('systemd-resolved (unpack the Debian package into a folder and name it in RESOLVED_ROOT)');

/** Whether all of the resolvers' programs are there. */
export const haveResolvers = (): boolean =>
  have('dig', 'tcpdump', 'unbound', 'named', 'pdns_recursor', 'kresd', 'dnsmasq', 'dnsdist', 'stubby');

/** The first line that a program says of its version. */
export function versionOf(command: string, ...args: string[]): string {
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const text = execFileSync('sh', ['-c', '"$@" 2>&1 || true', 'sh', command, ...args], { encoding: 'utf8', env });
  return /\d+\.\d+(?:\.\d+)*/.exec(text)?.[0] ?? text;
}
