#!/usr/bin/env bash
# dnsmasq with --add-subnet gives no answer to a client that sends a client subnet of its own
#
# Guess: dnsmasq forwards the client's option, or puts its own in its place; either way the client gets the answer.
# What happens: it forwards the client's option, the server answers with that option echoed, as RFC 7871 asks, and dnsmasq then compares the echo with
#   the subnet that it would have sent itself. They differ, so it drops the answer and the client waits in vain. An opt-out (0.0.0.0/0) is no exception.
# Why it matters: stubby and other stubs send an opt-out with every query. Behind such a dnsmasq their users can't resolve any name whose server
#   echoes client subnets, which is every GeoDNS, while all other names work: it looks like the GeoDNS server's fault.
# Seen: dnsmasq 2.90 (Debian 12), dig 9.18.49, a server of dnspython 2.3.0.
# Needs (Debian): dnsmasq-base bind9-dnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port) upstream=$(free_port)
dnsmasq --version | sed -n 1p

cat > "$temp/server.py" <<'PY'
import socket, sys, dns.edns, dns.message, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.1"))
    subnets = [o for o in query.options if isinstance(o, dns.edns.ECSOption)]
    print("asked with", [o.to_text() for o in subnets], flush=True)
    reply.use_edns(0, options=[dns.edns.ECSOption(o.address, o.srclen, o.srclen) for o in subnets])
    s.sendto(reply.to_wire(), peer)
PY
/usr/bin/python3 "$temp/server.py" "$upstream" > "$temp/server.log" &
dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user="$(id -un)" --pid-file --log-facility=- \
  --bind-interfaces --listen-address=127.0.0.1 --port="$port" --server="127.0.0.1#$upstream" --add-subnet=24,56 2> "$temp/dnsmasq.log" &

ask() { dig @127.0.0.1 -p "$port" +short +tries=1 +time=2 "$@" a.example A | grep -v '^;' || true; }
for _ in $(seq 50); do [ -n "$(ask)" ] && break; sleep 0.1; done

plain=$(ask) own=$(ask +subnet=198.51.100.0/24) out=$(ask +subnet=0/0)
echo "no option:         ${plain:-no answer}"
echo "198.51.100.0/24:   ${own:-no answer}"
echo "0.0.0.0/0:         ${out:-no answer}"
echo "the server was $(tail -2 "$temp/server.log" | tr '\n' ' ')and answered"
[ "$plain" = 192.0.2.1 ] || changed "a plain client gets '$plain'"
[ -z "$own" ] || changed "a client with an own subnet gets '$own'"
[ -z "$out" ] || changed "a client that opts out gets '$out'"
grep -q "198.51.100.0/24" "$temp/server.log" || changed "the client's option isn't forwarded"
