#!/usr/bin/env bash
# systemd-resolved asks again without EDNS whenever a name doesn't exist
#
# Guess: NXDOMAIN is an answer like any other, cached for the TTL of the SOA.
# What happens: each NXDOMAIN that came with EDNS is asked for a second time without it, since some servers once said NXDOMAIN when they meant FORMERR; only then it is
#   believed. NODATA and positive answers are asked for once.
# Why it matters: a server's share of queries without EDNS, and of NXDOMAIN, is higher than its clients are: half of those of resolved for missing names. It is no sign of
#   broken clients, and each mistyped name costs two answers and counts twice against a rate limit.
# Seen: systemd-resolved 252.39 (Debian 12, unpacked into a folder), a server of dnspython 2.3.0.
# Needs: root (namespaces of its own); Debian: util-linux iproute2 bind9-dnsutils python3-dnspython, and apt-get download
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && apt-get download -qq systemd-resolved libsystemd-shared 2> /dev/null && for deb in *.deb; do dpkg-deb -x "$deb" root; done)
ls "$temp" | grep -o 'systemd-resolved_[^_]*'
cat > "$temp/server.py" <<'PY'
import socket, dns.flags, dns.message, dns.rcode, dns.rdatatype, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.1", 53))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    question = query.question[0]
    print(question.name, dns.rdatatype.to_text(question.rdtype), "with EDNS" if query.edns >= 0 else "without", flush=True)
    if str(question.name).startswith("missing"):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    if question.rdtype == dns.rdatatype.A and reply.rcode() == dns.rcode.NOERROR:
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", "192.0.2.9"))
    else:
        reply.authority.append(dns.rrset.from_text("example.", 60, "IN", "SOA", "ns.example. h.example. 1 7200 900 604800 60"))
    s.sendto(reply.to_wire(), peer)
PY
cat > "$temp/run" <<'SH'
set -e
ip link set lo up; ip link add eth0 type veth peer name eth1; ip link set eth0 up; ip link set eth1 up; for i in 1 2; do ip addr add 192.0.2.$i/24 dev eth0; done
/usr/bin/python3 "$1/server.py" >> "$1/log" & server=$!
printf 'root:x:0:0::/:/bin/sh\nsystemd-resolve:x:0:0::/:/bin/sh\n' > "$1/passwd"
mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/resolve
mount --bind "$1/passwd" /etc/passwd; mount -t tmpfs tmpfs /etc/systemd
printf '[Resolve]\nDNS=192.0.2.1\nFallbackDNS=\nDomains=~.\nDNSSEC=no\nLLMNR=no\nMulticastDNS=no\nDNSStubListener=no\nDNSStubListenerExtra=192.0.2.2\n' > /etc/systemd/resolved.conf
LD_LIBRARY_PATH="$1/root/usr/lib/$(uname -m)-linux-gnu/systemd" SYSTEMD_LOG_TARGET=console "$1/root/lib/systemd/systemd-resolved" > "$1/resolved" 2>&1 & resolved=$!
trap 'kill $server $resolved' EXIT
for _ in $(seq 50); do dig @192.0.2.2 +tries=1 +time=1 ready.example A | grep -q NOERROR && break; sleep 0.1; done
: > "$1/log"
for question in "there.example A" "there.example AAAA" "missing.example A" "missing.example A"; do dig @192.0.2.2 +tries=1 +time=2 $question > /dev/null; done
SH
unshare -n -m bash "$temp/run" "$temp"
cat "$temp/log"
diff "$temp/log" - <<'SEEN' || changed "see the difference above"
there.example. A with EDNS
there.example. AAAA with EDNS
missing.example. A with EDNS
missing.example. A without
SEEN
