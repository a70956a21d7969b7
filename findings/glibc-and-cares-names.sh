#!/usr/bin/env bash
# glibc and c-ares (Node's dns.resolve) each refuse names that the other asks for
#
# Guess: both ask for whatever fits into a name, or both keep to letters, digits, hyphen and underscore.
# What happens: c-ares refuses a+b and a!b but asks for *, a/b and -h; glibc refuses all of these, and takes h- although it refuses -h. What stands in the answer is
#   not looked at: a chain by way of a+b is fine for both.
# Why it matters: a name that works in one's health check (Node: c-ares or glibc, by the function used) may not exist for the users' programs. "*" and "a/b" (RFC 2317
#   delegations) are asked for by Node's resolver in earnest: a literal "*" reaches the server from there.
# Seen: glibc 2.36 (Debian 12), c-ares 1.34.6 in Node 20.20.2, a server of dnspython 2.3.0.
# Needs: root (a network namespace of its own, with a resolv.conf of its own); Debian: util-linux iproute2 python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
ldd --version | sed -n 1p
node -p '`Node ${process.version}, c-ares ${process.versions.ares}`'
cat > "$temp/server.py" <<'PY'
import socket, dns.flags, dns.message, dns.name, dns.rdatatype, dns.rrset
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 53))
while True:
    data, peer = s.recvfrom(4096)
    query = dns.message.from_wire(data)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.RA
    owner = query.question[0].name
    if query.question[0].rdtype == dns.rdatatype.A:
        if str(owner).startswith("chain."):
            reply.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", "a+b.example."))
            owner = dns.name.from_text("a+b.example.")
        reply.answer.append(dns.rrset.from_text(owner, 60, "IN", "A", "192.0.2.1"))
    s.sendto(reply.to_wire(), peer)
PY
cat > "$temp/ask.mjs" <<'JS'
import dns from 'node:dns/promises';
const resolver = new dns.Resolver();
resolver.setServers(['127.0.0.1']);
const outcome = (promise) => promise.then(() => 'yes', (error) => error.code);
const up = async () => { while ((await outcome(resolver.resolve4('up.example'))) !== 'yes'); };
await up();
for (const label of ['a_b', '-h', 'h-', '*', 'a/b', 'a+b', 'a!b', 'chain']) {
  const name = `${label}.example`;
  console.log(`${label}: c-ares ${await outcome(resolver.resolve4(name))}, glibc ${await outcome(dns.lookup(name, { family: 4 }))}`);
}
JS
echo "nameserver 127.0.0.1" > "$temp/resolv.conf"
echo "hosts: dns" > "$temp/nsswitch.conf"
unshare -n -m bash -c '
  set -e; ip link set lo up
  mount --bind "$1/resolv.conf" /etc/resolv.conf; mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
  /usr/bin/python3 "$1/server.py" & server=$!
  node "$1/ask.mjs"; kill $server' bash "$temp" | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
a_b: c-ares yes, glibc yes
-h: c-ares yes, glibc ENOTFOUND
h-: c-ares yes, glibc yes
*: c-ares yes, glibc ENOTFOUND
a/b: c-ares yes, glibc ENOTFOUND
a+b: c-ares EBADNAME, glibc ENOTFOUND
a!b: c-ares EBADNAME, glibc ENOTFOUND
chain: c-ares yes, glibc yes
SEEN
