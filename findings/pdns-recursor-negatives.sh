#!/usr/bin/env bash
# PowerDNS Recursor gives a NODATA or NXDOMAIN that was scoped to one /24 to every client
#
# Guess: the scope of an answer holds for negative ones too (RFC 7871 section 7.4 lets a resolver choose, but this one keeps positive answers apart).
# What happens: the answer for AAAA that is empty in 198.51.100.0/24 is given to 203.0.113.0/24 as well, where there is an address, for as long as the SOA allows; for A,
#   with the same scope, each subnet has its own. In the other order all is well.
# Why it matters: one IPv4-only site of a steered name switches IPv6 off for all users of such a resolver, by turns with whoever asks first. All sites of a name should have
#   the same families, or a small SOA TTL in empty answers.
# Seen: PowerDNS Recursor 4.8.8 (Debian 12), a server of dnspython 2.3.0.
# Needs (Debian): pdns-recursor bind9-dnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export PATH="$PATH:/usr/sbin"
pdns_recursor --version 2>&1 | sed -n 1p | grep -o 'PowerDNS Recursor [0-9.]*'
port=$(free_port) server=$(free_port)
cat > "$temp/server.py" <<'PY'
import socket, sys, dns.edns, dns.flags, dns.message, dns.rcode, dns.rdatatype, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    question = query.question[0]
    subnets = [o for o in query.options if isinstance(o, dns.edns.ECSOption)]
    poor = bool(subnets) and subnets[0].address.startswith("198.51.100.")
    if question.rdtype == dns.rdatatype.A:
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", "192.0.2.1" if poor else "192.0.2.2"))
    elif question.rdtype == dns.rdatatype.AAAA and not poor:
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "AAAA", "2001:db8::2"))
    else:
        reply.authority.append(dns.rrset.from_text("steered.example.", 60, "IN", "SOA", "ns.example. h.example. 1 7200 900 604800 60"))
    reply.use_edns(0, options=[dns.edns.ECSOption(o.address, o.srclen, 24) for o in subnets])
    s.sendto(reply.to_wire(), peer)
PY
/usr/bin/python3 "$temp/server.py" "$server" &
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
pdns_recursor --config-dir="$temp" --daemon=no > "$temp/log" 2>&1 &
ask() { local got; got=$(dig @127.0.0.1 -p "$port" +short +tries=2 +time=2 +subnet="$1" "$2.steered.example" "$3" | grep -v '^;' || true); echo "${got:-nothing}"; }
for _ in $(seq 50); do [ "$(ask 203.0.113.0/24 ready A)" = 192.0.2.2 ] && break; sleep 0.1; done
poor=198.51.100.0/24 rich=203.0.113.0/24
{
  echo "A: $(ask $poor one A), then elsewhere $(ask $rich one A)"
  echo "AAAA: $(ask $poor one AAAA), then elsewhere $(ask $rich one AAAA)"
  echo "AAAA in the other order: $(ask $rich two AAAA), then $(ask $poor two AAAA)"
} | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
A: 192.0.2.1, then elsewhere 192.0.2.2
AAAA: nothing, then elsewhere nothing
AAAA in the other order: 2001:db8::2, then nothing
SEEN
