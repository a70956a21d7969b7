#!/usr/bin/env bash
# Knot's geoip module answers a client that no rule matches with scope 0, and Unbound then gives that answer to everybody
#
# Guess: the answer for "none of the rules" is scoped to the client's subnet, or to a prefix in which no rule matches.
# What happens: such a client gets the zone's own record with scope 0, "the same for all". Behind Unbound with subnetcache the first such client's answer goes to those that a rule is for, too,
#   until the TTL ends; in the other order each has its own.
# Why it matters: it depends on who asks first whether a country gets its site, for as long as the zone's TTL is. A rule for 0.0.0.0/0 doesn't help: its scope is 0 too.
# Seen: Knot 3.2.6 with knot-module-geoip, Unbound 1.17.1, dig 9.18.49 (Debian 12).
# Needs (Debian): knot knot-module-geoip unbound bind9-dnsutils python3
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export PATH="$PATH:/usr/sbin"
knotd --version; unbound -V | sed -n 1p
knot=$(free_port) unbound=$(free_port)
printf '$ORIGIN x.example.\n$TTL 3600\n@ IN SOA ns h 1 7200 900 604800 60\n@ IN NS ns\nns IN A 192.0.2.53\none IN A 192.0.2.99\ntwo IN A 192.0.2.99\nall IN A 192.0.2.99\n' > "$temp/zone"
for name in one two; do printf '%s.x.example:\n  - net: 198.51.100.0/24\n    A: 192.0.2.1\n' "$name"; done > "$temp/geo.conf"
printf 'all.x.example:\n  - net: 198.51.100.0/24\n    A: 192.0.2.1\n  - net: 0.0.0.0/0\n    A: 192.0.2.2\n' >> "$temp/geo.conf"
mkdir "$temp/db"
cat > "$temp/knot.conf" <<CONF
server:
  listen: 127.0.0.1@$knot
  rundir: $temp
  user: $(id -un):$(id -gn)
  edns-client-subnet: on
database:
  storage: $temp/db
mod-geoip:
  - id: geo
    config-file: $temp/geo.conf
    ttl: 60
    mode: subnet
zone:
  - domain: x.example
    file: $temp/zone
    zonefile-load: whole
    journal-content: none
    module: mod-geoip/geo
CONF
cat > "$temp/unbound.conf" <<CONF
server:
  directory: "$temp"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  num-threads: 1
  interface: 127.0.0.1@$unbound
  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
remote-control:
  control-enable: no
forward-zone:
  name: "x.example"
  forward-addr: 127.0.0.1@$knot
CONF
knotd -c "$temp/knot.conf" > "$temp/knot.log" 2>&1 &
unbound -d -c "$temp/unbound.conf" 2> /dev/null &
ask() { dig @127.0.0.1 -p "$1" +tries=2 +time=2 +subnet="$2" "$3.x.example" A | sed -n 's/.*CLIENT-SUBNET: [^/]*\/[0-9]*\/\([0-9]*\)/scope \1/p; s/^[a-z]*\.x.*A[ \t]*//p' | paste -sd' ' || true; }
for port in "$knot" "$unbound"; do for _ in $(seq 50); do ask "$port" 203.0.113.0/24 ns | grep -q 192 && break; sleep 0.1; done; done
address() { ask "$@" | grep -o '192[0-9.]*'; }
{
  echo "Knot, a rule matches: $(ask "$knot" 198.51.100.0/24 one)"
  echo "Knot, none matches: $(ask "$knot" 203.0.113.0/24 one)"
  echo "Knot, a rule for all matches: $(ask "$knot" 203.0.113.0/24 all)"
  echo "Unbound, the match first: $(address "$unbound" 198.51.100.0/24 one), then none $(address "$unbound" 203.0.113.0/24 one)"
  echo "Unbound, none first: $(address "$unbound" 203.0.113.0/24 two), then the match $(address "$unbound" 198.51.100.0/24 two)"
} | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
Knot, a rule matches: scope 24 192.0.2.1
Knot, none matches: scope 0 192.0.2.99
Knot, a rule for all matches: scope 0 192.0.2.2
Unbound, the match first: 192.0.2.1, then none 192.0.2.99
Unbound, none first: 192.0.2.99, then the match 192.0.2.99
SEEN
