#!/usr/bin/env bash
# Knot reads a closing parenthesis as part of an unquoted text, and refuses "a""b"
#
# Guess: a parenthesis ends an unquoted word wherever it stands (RFC 1035 section 5.1), and two quoted strings side by side are two strings.
# What happens: TXT (one) is "one" in BIND, NSD, ldns and dnspython; in Knot it is "one)": the parenthesis is in the published text. An address in the same place is read
#   rightly. TXT "a""b" is two strings for the other four, for Knot an error by which the zone doesn't load.
# Why it matters: text that proves something to others (SPF, DKIM, verification of a domain) differs by one octet after a move to Knot, without a warning. Quote text, and put a
#   space before each parenthesis and between strings.
# Seen: Knot 3.2.6, BIND 9.18.49, NSD 4.6.1, ldns 1.8.3 (Debian 12).
# Needs (Debian): knot knot-dnsutils bind9-utils ldnsutils nsd
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export PATH="$PATH:/usr/sbin"
port=$(free_port)
knotd --version
knot() {
  mkdir -p "$temp/db"
  printf 'server:\n  listen: 127.0.0.1@%s\n  rundir: %s\n  user: %s:%s\ndatabase:\n  storage: %s\nzone:\n  - domain: x.example\n    file: %s\n    zonefile-load: whole\n    journal-content: none\n' \
    "$port" "$temp" "$(id -un)" "$(id -gn)" "$temp/db" "$temp/zone" > "$temp/knot.conf"
  knotd -c "$temp/knot.conf" > "$temp/knot.log" 2>&1 & local server=$! reply=
  for _ in $(seq 60); do
    reply=$(kdig @127.0.0.1 -p "$port" +time=1 +retry=0 a.x.example "$1" 2> /dev/null || true)
    case $reply in *NOERROR* | *SERVFAIL*) break ;; esac
    sleep 0.1
  done
  kill "$server"; wait "$server" 2> /dev/null || true
  case $reply in
    *NOERROR*) sed -n "s/^a\.x.*IN[ \t]*$1[ \t]*//p" <<< "$reply" ;;
    *) echo refused ;;
  esac
}
bind() { named-compilezone -q -k ignore -o - x.example "$temp/zone" 2> /dev/null | sed -n "s/^a\.x.*IN[ \t]*$1[ \t]*//p"; }
ldns() { ldns-read-zone "$temp/zone" 2> /dev/null | sed -n "s/^a\.x.*IN[ \t]*$1[ \t]*//p"; }
while read -r type text; do
  printf '$ORIGIN x.example.\n$TTL 60\n@ IN SOA ns h 1 7200 900 604800 77\n@ IN NS ns.example.\na IN %s %s\n' "$type" "$text" > "$temp/zone"
  nsd-checkzone x.example "$temp/zone" > /dev/null 2>&1 || changed "NSD refuses $type $text"
  echo "$type $text: BIND $(bind "$type"), ldns $(ldns "$type"), Knot $(knot "$type")"
done <<'RECORDS' | tee "$temp/seen"
A (192.0.2.1)
TXT ( one )
TXT (one)
TXT "a" "b"
TXT "a""b"
RECORDS
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
A (192.0.2.1): BIND 192.0.2.1, ldns 192.0.2.1, Knot 192.0.2.1
TXT ( one ): BIND "one", ldns "one", Knot "one"
TXT (one): BIND "one", ldns "one", Knot "one)"
TXT "a" "b": BIND "a" "b", ldns "a" "b", Knot "a" "b"
TXT "a""b": BIND "a" "b", ldns "a" "b", Knot refused
SEEN
