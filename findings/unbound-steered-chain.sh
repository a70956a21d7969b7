#!/usr/bin/env bash
# Unbound that sends client subnets for one zone gives the first client's CNAME chain to everybody when the chain leaves the zone
#
# Guess: the CNAME came with a scope of /24, so the chain is kept for that /24, as any other answer of the zone; the last link may be for all.
# What happens: the whole chain, the steered CNAME included, goes into the cache for everybody: the second client, elsewhere, gets the first one's for the rest of the TTL, and
#   the server is not asked again. A name with an address of its own, from the same server with the same scope, is kept apart.
# Why it matters: "www CNAME to the CDN of the region" is the usual way to steer between providers. Behind resolvers that are set up with client-subnet-zone the region of whoever
#   asked first is everybody's. An address instead of the alias, or a chain inside the zone, is safe.
# Seen: Unbound 1.17.1 (Debian 12), dig 9.18.49, a server of dnspython 2.3.0.
# Needs (Debian): unbound bind9-dnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export PATH="$PATH:/usr/sbin"
unbound -V | sed -n 1p
port=$(free_port) server=$(free_port)
cat > "$temp/server.py" <<'PY'
import socket, sys, dns.edns, dns.flags, dns.message, dns.name, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    name = query.question[0].name
    subnets = [o for o in query.options if isinstance(o, dns.edns.ECSOption)]
    here = "1" if subnets and subnets[0].address.startswith("198.51.100.") else "2"
    if str(name).startswith("alias."):
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", f"cdn{here}.other.example."))
    elif str(name).startswith("cdn"):
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", f"192.0.2.{str(name)[3]}"))
    else:
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", f"192.0.2.{here}"))
    reply.use_edns(0, options=[dns.edns.ECSOption(o.address, o.srclen, 24) for o in subnets])
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
  num-threads: 1
  interface: 127.0.0.1@$port
  qname-minimisation: no
  module-config: "subnetcache iterator"
  client-subnet-zone: "steered.example"
remote-control:
  control-enable: no
stub-zone:
  name: "example"
  stub-addr: 127.0.0.1@$server
CONF
unbound -d -c "$temp/unbound.conf" 2> /dev/null &
ask() { dig @127.0.0.1 -p "$port" +short +tries=2 +time=2 +subnet="$1" "$2.steered.example" A | grep -v '^;' | tail -1 || true; }
for _ in $(seq 50); do [ -n "$(ask 203.0.113.0/24 ready)" ] && break; sleep 0.1; done
for name in direct alias; do
  echo "$name: a client in 198.51.100.0/24 gets $(ask 198.51.100.0/24 $name), then one in 203.0.113.0/24 gets $(ask 203.0.113.0/24 $name)"
done | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
direct: a client in 198.51.100.0/24 gets 192.0.2.1, then one in 203.0.113.0/24 gets 192.0.2.2
alias: a client in 198.51.100.0/24 gets 192.0.2.1, then one in 203.0.113.0/24 gets 192.0.2.1
SEEN
