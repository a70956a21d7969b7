#!/usr/bin/env bash
# A zone under home.arpa, test or 10.in-addr.arpa exists behind some resolvers and not behind others, forwarded to the same server
#
# Guess: names that RFC 6761 and RFC 6303 set apart are answered by every resolver itself, all the same, until it is told otherwise.
# What happens: see below. Unbound denies test, invalid, home.arpa, onion and all reverse zones, of documentation networks too; PowerDNS Recursor private reverse zones alone;
#   BIND and Knot Resolver, told to forward, nothing at all (Knot Resolver denies test when it walks from the root itself). "internal" is nobody's.
# Why it matters: an internal zone with steering that is called lab.test or site.home.arpa works for the colleague whose resolver is BIND. Call it after a domain that you own, or tell each resolver
#   (Unbound: local-zone ... nodefault).
# Seen: Unbound 1.17.1, BIND 9.18.49, PowerDNS Recursor 4.8.8, Knot Resolver 5.6.0 (Debian 12), a server of dnspython 2.3.0.
# Needs (Debian): unbound bind9 pdns-recursor knot-resolver bind9-dnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export PATH="$PATH:/usr/sbin"
server=$(free_port) unbound=$(free_port) bind=$(free_port) pdns=$(free_port) knot=$(free_port)
cat > "$temp/server.py" <<'PY'
import socket, sys, dns.flags, dns.message, dns.rdatatype, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    question = query.question[0]
    if question.rdtype in (dns.rdatatype.A, dns.rdatatype.PTR):
        value = "192.0.2.1" if question.rdtype == dns.rdatatype.A else "host.example."
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", question.rdtype, value))
    s.sendto(reply.to_wire(), peer)
PY
/usr/bin/python3 "$temp/server.py" "$server" &
cat > "$temp/unbound.conf" <<CONF
server:
  directory: "$temp"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  interface: 127.0.0.1@$unbound
  module-config: "iterator"
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@$server
CONF
cat > "$temp/named.conf" <<CONF
options { directory "$temp"; managed-keys-directory "$temp"; pid-file none; session-keyfile none; listen-on port $bind { 127.0.0.1; }; listen-on-v6 { none; };
  recursion yes; dnssec-validation no; forward only; forwarders { 127.0.0.1 port $server; }; };
controls { };
CONF
mkdir "$temp/pdns" "$temp/knot"
printf 'local-address=127.0.0.1\nlocal-port=%s\nallow-from=127.0.0.0/8\ndont-query=\nforward-zones-recurse=.=127.0.0.1:%s\ndnssec=off\nthreads=1\nsocket-dir=%s\nwrite-pid=no\n' \
  "$pdns" "$server" "$temp/pdns" > "$temp/pdns/recursor.conf"
cat > "$temp/kresd.conf" <<CONF
net.listen('127.0.0.1', $knot, { kind = 'dns' })
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('ta_sentinel')
trust_anchors.remove('.')
cache.open(10 * MB, 'lmdb://$temp/knot/cache')
policy.add(policy.all(policy.FORWARD('127.0.0.1@$server')))
CONF
unbound -d -c "$temp/unbound.conf" 2> /dev/null &
named -g -n 1 -c "$temp/named.conf" 2> /dev/null &
pdns_recursor --config-dir="$temp/pdns" --daemon=no > /dev/null 2>&1 &
kresd --noninteractive -c "$temp/kresd.conf" "$temp/knot" > /dev/null 2>&1 &
ask() { dig @127.0.0.1 -p "$1" +tries=2 +time=2 "$2" "$3" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p' || true; }
for port in "$unbound" "$bind" "$pdns" "$knot"; do
  for _ in $(seq 50); do [ "$(ask "$port" ready.example A)" = NOERROR ] && break; sleep 0.1; done
done
while read -r name type; do
  echo "$name: Unbound $(ask "$unbound" "$name" "$type"), BIND $(ask "$bind" "$name" "$type"), PowerDNS $(ask "$pdns" "$name" "$type"), Knot $(ask "$knot" "$name" "$type")"
done <<'NAMES' | tee "$temp/seen"
a.example A
a.internal A
a.test A
a.invalid A
a.home.arpa A
1.0.0.10.in-addr.arpa PTR
1.2.0.192.in-addr.arpa PTR
NAMES
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
a.example: Unbound NOERROR, BIND NOERROR, PowerDNS NOERROR, Knot NOERROR
a.internal: Unbound NOERROR, BIND NOERROR, PowerDNS NOERROR, Knot NOERROR
a.test: Unbound NXDOMAIN, BIND NOERROR, PowerDNS NOERROR, Knot NOERROR
a.invalid: Unbound NXDOMAIN, BIND NOERROR, PowerDNS NOERROR, Knot NOERROR
a.home.arpa: Unbound NXDOMAIN, BIND NOERROR, PowerDNS NOERROR, Knot NOERROR
1.0.0.10.in-addr.arpa: Unbound NXDOMAIN, BIND NOERROR, PowerDNS NXDOMAIN, Knot NOERROR
1.2.0.192.in-addr.arpa: Unbound NXDOMAIN, BIND NOERROR, PowerDNS NOERROR, Knot NOERROR
SEEN
