#!/usr/bin/env bash
# "IN 300 A", the class before the TTL, is refused by ldns and by dnspython; Knot refuses "CLASS1"
#
# Guess: RFC 1035 section 5.1 gives both orders, [TTL] [class] and [class] [TTL], so all readers take both; RFC 3597 section 5 makes CLASS1 another word for IN.
# What happens: see below: BIND and NSD take everything; ldns and dnspython want the TTL first, and speak of rdata or of an unknown type "300"; Knot knows only the name of the class.
# Why it matters: zone files that BIND has served for decades fail in converters and checkers that are built on these libraries.
# Seen: BIND 9.18.49, ldns 1.8.3, NSD 4.6.1, dnspython 2.3.0, Knot 3.2.6 (Debian 12).
# Needs (Debian): bind9-utils ldnsutils nsd python3-dnspython knot knot-dnsutils
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export PATH="$PATH:/usr/sbin"
port=$(free_port)
reads() { if "$@" > "$temp/out" 2>&1 && ! grep -qi error "$temp/out"; then printf yes; else printf no; fi; }
cat > "$temp/read.py" <<'PY'
import sys, dns.zone
dns.zone.from_file(sys.argv[1], "x.example")
PY
# Knot has no checker of its own in Debian 12: the server tells.
knot() {
  mkdir -p "$temp/db"
  printf 'server:\n  listen: 127.0.0.1@%s\n  rundir: %s\n  user: %s:%s\ndatabase:\n  storage: %s\nzone:\n  - domain: x.example\n    file: %s\n    zonefile-load: whole\n    journal-content: none\n' \
    "$port" "$temp" "$(id -un)" "$(id -gn)" "$temp/db" "$1" > "$temp/knot.conf"
  knotd -c "$temp/knot.conf" > "$temp/knot.log" 2>&1 & local server=$! found=no
  for _ in $(seq 60); do
    case $(kdig @127.0.0.1 -p "$port" +time=1 +retry=0 a.x.example A 2> /dev/null || true) in
      *192.0.2.1*) found=yes; break ;;
      *SERVFAIL*) break ;;
    esac
    sleep 0.1
  done
  kill "$server"; wait "$server" 2> /dev/null || true
  printf '%s' "$found"
}
for record in "a 300 IN A 192.0.2.1" "a IN 300 A 192.0.2.1" "a IN 5m A 192.0.2.1" "a CLASS1 A 192.0.2.1"; do
  printf '$ORIGIN x.example.\n$TTL 60\n@ IN SOA ns h 1 7200 900 604800 77\n@ IN NS ns.example.\n%s\n' "$record" > "$temp/zone"
  printf '%s: BIND %s, NSD %s, ldns %s, dnspython %s, Knot %s\n' "$record" "$(reads named-checkzone -k ignore x.example "$temp/zone")" \
    "$(reads nsd-checkzone x.example "$temp/zone")" "$(reads ldns-read-zone "$temp/zone")" "$(reads /usr/bin/python3 "$temp/read.py" "$temp/zone")" "$(knot "$temp/zone")"
done | tee "$temp/seen"
named-checkzone -v; knotd --version
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
a 300 IN A 192.0.2.1: BIND yes, NSD yes, ldns yes, dnspython yes, Knot yes
a IN 300 A 192.0.2.1: BIND yes, NSD yes, ldns no, dnspython no, Knot yes
a IN 5m A 192.0.2.1: BIND yes, NSD yes, ldns no, dnspython no, Knot yes
a CLASS1 A 192.0.2.1: BIND yes, NSD yes, ldns yes, dnspython yes, Knot no
SEEN
