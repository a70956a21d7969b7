#!/usr/bin/env bash
# Plain dnsmasq hands a client's own subnet option on, and its answer to everybody
#
# Guess: without --add-subnet dnsmasq either drops the option, or doesn't cache what came with one.
# What happens: the option goes to the server as it came and the answer, whatever its scope, into the common cache: the next client, without an option, gets the answer for the first
#   one's subnet until the TTL ends. With the opposite order the client with the option gets the common answer.
# Why it matters: one test with dig +subnet through the router, or one machine with stubby's opt-out, decides the site of the whole house. Test steering at the server itself.
# Seen: dnsmasq 2.90, dig 9.18.49 (Debian 12), a server of dnspython 2.3.0.
# Needs (Debian): dnsmasq-base bind9-dnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
dnsmasq --version | sed -n 1p
port=$(free_port) upstream=$(free_port)
cat > "$temp/server.py" <<'PY'
import socket, sys, dns.edns, dns.message, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    subnets = [o for o in query.options if isinstance(o, dns.edns.ECSOption)]
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.1" if subnets else "192.0.2.2"))
    reply.use_edns(0, options=[dns.edns.ECSOption(o.address, o.srclen, 24) for o in subnets])
    s.sendto(reply.to_wire(), peer)
PY
/usr/bin/python3 "$temp/server.py" "$upstream" &
dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --user="$(id -un)" --pid-file --log-facility=- \
  --bind-interfaces --listen-address=127.0.0.1 --port="$port" --server="127.0.0.1#$upstream" 2> "$temp/log" &
ask() { dig @127.0.0.1 -p "$port" +short +tries=2 +time=2 "$@" A | grep -v '^;' || true; }
for _ in $(seq 50); do [ -n "$(ask ready.example)" ] && break; sleep 0.1; done
{
  echo "with a subnet $(ask +subnet=198.51.100.0/24 one.example), then without $(ask one.example)"
  echo "without $(ask two.example), then with a subnet $(ask +subnet=198.51.100.0/24 two.example)"
} | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
with a subnet 192.0.2.1, then without 192.0.2.1
without 192.0.2.2, then with a subnet 192.0.2.2
SEEN
