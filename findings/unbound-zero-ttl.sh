#!/usr/bin/env bash
# Unbound answers a TTL of 0 from its cache for a second when subnetcache is loaded, and asks each time when it isn't
#
# Guess: TTL 0 means "for this transaction" (RFC 1035 section 3.2.1): Unbound asks each time, whatever modules are loaded.
# What happens: with module-config "iterator" eight queries in a row are eight queries at the server. With "subnetcache iterator", for a server to which it sends subnets and which
#   answers with scope 0, they are one or two: one for each second that passes.
# Why it matters: a counter, or a drawing of lots, behind TTL 0 and a plain answer gives all clients of such a resolver the same in each second; and a test of one's
#   steering by "TTL 0, ask often" shows less change than there is.
# Seen: Unbound 1.17.1 (Debian 12), a server of dnspython 2.3.0 that echoes the subnet with scope 0.
# Needs (Debian): unbound bind9-dnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export PATH="$PATH:/usr/sbin"
unbound -V | sed -n 1p
cat > "$temp/server.py" <<'PY'
import socket, sys, dns.edns, dns.flags, dns.message, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    name = query.question[0].name
    print(name, flush=True)
    reply.answer.append(dns.rrset.from_text(name, 0, "IN", "A", "192.0.2.1"))
    reply.use_edns(0, options=[dns.edns.ECSOption(o.address, o.srclen, 0) for o in query.options if isinstance(o, dns.edns.ECSOption)])
    s.sendto(reply.to_wire(), peer)
PY
asked() {
  local port server log="$temp/log.$RANDOM"
  port=$(free_port) server=$(free_port)
  /usr/bin/python3 "$temp/server.py" "$server" > "$log" & local one=$!
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
  module-config: "$1"
  $2
remote-control:
  control-enable: no
forward-zone:
  name: "example"
  forward-addr: 127.0.0.1@$server
CONF
  unbound -d -c "$temp/unbound.conf" 2> /dev/null & local two=$!
  for _ in $(seq 50); do dig @127.0.0.1 -p "$port" +short +tries=1 +time=1 ready.example A | grep -q 192 && break; sleep 0.1; done
  # In one go, so that few seconds pass.
  dig @127.0.0.1 -p "$port" +short +tries=1 +time=2 $(for _ in 1 2 3 4 5 6 7 8; do echo a.example A; done) > /dev/null
  grep -c '^a.example' "$log"
  kill "$one" "$two"; wait "$one" "$two" 2> /dev/null || true
}
plain=$(asked iterator "") subnets=$(asked "subnetcache iterator" "send-client-subnet: 127.0.0.0/8")
echo "eight queries for a name with TTL 0 reach the server $plain times, with subnetcache $subnets times"
[ "$plain" = 8 ] || changed "without subnetcache it asks $plain times"
[ "$subnets" -lt 5 ] || changed "with subnetcache it asks $subnets times"
