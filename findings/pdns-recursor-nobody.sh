#!/usr/bin/env bash
# PowerDNS Recursor sends 127.0.0.1/32 as the subnet of clients with private addresses and of those that opt out
#
# Guess: for a client that may not be told of, a resolver sends no option, or 0.0.0.0/0 (RFC 7871 section 7.1.2).
# What happens: it sends a host, 127.0.0.1/32, as ecs-scope-zero-address has it by default, for opt-outs too, and leaves the option out of its own answer although the client
#   sent one and the answer depends on it.
# Why it matters: all office networks behind such a recursor, and all opt-outs, are "127.0.0.1" for the server. One that looks loopback up in its database gives its default. The answer
#   must come by the resolver's address, and with a scope that public clients don't share.
# Seen: PowerDNS Recursor 4.8.8, dig 9.18.49 (Debian 12), a server of dnspython 2.3.0.
# Needs (Debian): pdns-recursor bind9-dnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export PATH="$PATH:/usr/sbin"
pdns_recursor --version 2>&1 | grep -o 'PowerDNS Recursor [0-9.]*'
port=$(free_port) server=$(free_port)
cat > "$temp/server.py" <<'PY'
import socket, sys, dns.edns, dns.flags, dns.message, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    subnets = [o for o in query.options if isinstance(o, dns.edns.ECSOption)]
    print(query.question[0].name, *[f"{o.address}/{o.srclen}" for o in subnets], flush=True)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.1"))
    reply.use_edns(0, options=[dns.edns.ECSOption(o.address, o.srclen, o.srclen) for o in subnets])
    s.sendto(reply.to_wire(), peer)
PY
/usr/bin/python3 "$temp/server.py" "$server" > "$temp/log" &
cat > "$temp/recursor.conf" <<CONF
local-address=127.0.0.1
local-port=$port
allow-from=127.0.0.0/8
dont-query=
forward-zones=steered.example=127.0.0.1:$server
edns-subnet-allow-list=127.0.0.0/8
use-incoming-edns-subnet=yes
dnssec=off
threads=1
socket-dir=$temp
write-pid=no
CONF
pdns_recursor --config-dir="$temp" --daemon=no > "$temp/out" 2>&1 &
ask() { dig @127.0.0.1 -p "$port" +tries=2 +time=2 "$@" A || true; }
for _ in $(seq 50); do ask ready.steered.example | grep -q 192.0.2.1 && break; sleep 0.1; done
ask -b 127.9.9.9 private.steered.example > /dev/null
ask +subnet=0/0 out.steered.example > "$temp/reply"
ask +subnet=198.51.100.0/24 own.steered.example > "$temp/own"
{
  sed -n 's/^\(private\|out\|own\)\.steered\.example\. /\1: /p' "$temp/log"
  echo "options in the answers to the clients: $(cat "$temp/reply" "$temp/own" | grep -c CLIENT-SUBNET || true)"
} | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
private: 127.0.0.1/32
out: 127.0.0.1/32
own: 198.51.100.0/24
options in the answers to the clients: 0
SEEN
