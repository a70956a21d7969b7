#!/usr/bin/env bash
# BIND gives SERVFAIL for a record set of more than 100 records, of any type
#
# Guess: a record set of 101 addresses is large but lawful: resolvers fetch it over TCP and hand it on.
# What happens: since the summer of 2024 BIND's cache takes at most max-records-per-type records of a set, by default 100. With 101 the whole answer is SERVFAIL,
#   and nothing in the answer says why (the log does: "too many records (must not exceed 100)"). Unbound and PowerDNS Recursor hand on all 101.
# Why it matters: a set that grows by one address breaks for all users of BIND's resolvers and for nobody else; dig at the server itself shows nothing wrong.
# Seen: BIND 9.18.49, Unbound 1.17.1, NSD 4.6.1 as the server (Debian 12).
# Needs (Debian): bind9 bind9-dnsutils unbound nsd
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
server=$(free_port) bind=$(free_port) unbound=$(free_port)
export PATH="$PATH:/usr/sbin"
named -v; unbound -V | sed -n 1p; nsd -v 2>&1 | sed -n 1p

{
  printf '$ORIGIN big.example.\n$TTL 60\n@ IN SOA ns h 1 7200 900 604800 60\n@ IN NS ns\nns IN A 127.0.0.1\n'
  for i in $(seq 101); do printf 'a101 IN A 192.0.2.%d\nt101 IN TXT "%d"\n' "$i" "$i"; done
  for i in $(seq 100); do printf 'a100 IN A 192.0.2.%d\n' "$i"; done
} > "$temp/zone"
cat > "$temp/nsd.conf" <<CONF
server:
  ip-address: 127.0.0.1@$server
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "$temp"
  pidfile: "$temp/nsd.pid"
  xfrdfile: ""
  xfrdir: "$temp"
  zonelistfile: "$temp/zonelist"
remote-control:
  control-enable: no
zone:
  name: "big.example"
  zonefile: "$temp/zone"
CONF
cat > "$temp/named.conf" <<CONF
options { directory "$temp"; managed-keys-directory "$temp"; pid-file none; session-keyfile none; listen-on port $bind { 127.0.0.1; }; listen-on-v6 { none; };
  recursion yes; dnssec-validation no; empty-zones-enable no; };
controls { };
zone "big.example" { type forward; forward only; forwarders { 127.0.0.1 port $server; }; };
CONF
cat > "$temp/unbound.conf" <<CONF
server:
  directory: "$temp"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  interface: 127.0.0.1@$unbound
  module-config: "iterator"
remote-control:
  control-enable: no
forward-zone:
  name: "big.example"
  forward-addr: 127.0.0.1@$server
CONF
nsd -d -c "$temp/nsd.conf" 2> /dev/null &
named -g -n 1 -c "$temp/named.conf" 2> "$temp/named.log" &
unbound -d -c "$temp/unbound.conf" 2> /dev/null &

ask() { dig @127.0.0.1 -p "$1" +tries=1 +time=3 "$2.big.example" "$3" | sed -n 's/.*status: \([A-Z]*\).*/\1/p; s/.*ANSWER: \([0-9]*\),.*/\1/p' | tr '\n' ' ' || true; }
for p in "$server" "$bind" "$unbound"; do
  for _ in $(seq 50); do [ "$(ask "$p" ns A)" = "NOERROR 1 " ] && break; sleep 0.1; done
done
for who in "BIND $bind" "Unbound $unbound"; do
  set -- $who
  for what in "a100 A" "a101 A" "t101 TXT"; do
    printf '%-8s %-9s %s\n' "$1" "$what" "$(ask "$2" ${what})" | tee -a "$temp/seen"
  done
done
grep -m1 -o "too many records.*" "$temp/named.log"
diff <(tr -s ' ' < "$temp/seen" | sed 's/ *$//') - <<'SEEN' || changed "see the difference above"
BIND a100 A NOERROR 100
BIND a101 A SERVFAIL 0
BIND t101 TXT SERVFAIL 0
Unbound a100 A NOERROR 100
Unbound a101 A NOERROR 101
Unbound t101 TXT NOERROR 101
SEEN
