#!/usr/bin/env bash
# kdig +subnet=0 doesn't opt out: it sends the host 0.0.0.0/32; dig sends 0/0
#
# Guess: "+subnet=0" opts out in both, as dig's manual has it (it is short for 0.0.0.0/0).
# What happens: kdig reads the text as an old inet_aton address, without a length: 0 is the host 0.0.0.0/32, and 10.1 the host 10.0.0.1/32. dig opts out with the first
#   and refuses the second. kdig +subnet=0/0 is the opt-out.
# Why it matters: a server that looks 0.0.0.0/32 up finds no place and gives its default, instead of placing the query by the resolver: the test of the opt-out tests something else.
# Seen: kdig 3.2.6, dig 9.18.49 (Debian 12).
# Needs (Debian): knot-dnsutils bind9-dnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
kdig --version; dig -v 2>&1
port=$(free_port)
cat > "$temp/server.py" <<'PY'
import socket, sys, dns.message
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    print(query.question[0].name.to_text(), *[o.to_text() for o in query.options if o.otype == 8], flush=True)
    s.sendto(dns.message.make_response(query).to_wire(), peer)
PY
/usr/bin/python3 "$temp/server.py" "$port" > "$temp/log" &
until dig @127.0.0.1 -p "$port" +tries=1 +time=1 up.example > /dev/null; do sleep 0.1; done
: > "$temp/seen"
for text in 0 0/0 10.1; do
  for tool in dig kdig; do
    "$tool" @127.0.0.1 -p "$port" +time=2 "+subnet=$text" "${text/\//-}.$tool.example" > /dev/null 2>&1 || true
    sent=$(sed -n "s|^${text/\//-}\.$tool\.example\. ||p" "$temp/log" | sed -n 1p)
    echo "$tool +subnet=$text: ${sent:-refused}" | tee -a "$temp/seen"
  done
done
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
dig +subnet=0: ECS 0.0.0.0/0 scope/0
kdig +subnet=0: ECS 0.0.0.0/32 scope/0
dig +subnet=0/0: ECS 0.0.0.0/0 scope/0
kdig +subnet=0/0: ECS 0.0.0.0/0 scope/0
dig +subnet=10.1: refused
kdig +subnet=10.1: ECS 10.0.0.1/32 scope/0
SEEN
