#!/usr/bin/env bash
# A TTL above 2147483647 in a zone file becomes 0, the server's default, or itself, by reader
#
# Guess: RFC 2181 section 8 limits a TTL to 31 bits, so loading fails; or, as on the wire, it is taken for 0 by all.
# What happens: BIND's zone file reader turns it into 0 with a warning, NSD into its default of 3600 with none, ldns and dnspython keep 4294967295 and would send it.
# Why it matters: "never changes" written as 4294967295 is asked for by every client each time from one server, and for an hour from its twin.
# Seen: BIND 9.18.49, ldns 1.8.3, NSD 4.6.1, dnspython 2.3.0 (Debian 12).
# Needs (Debian): bind9-utils ldnsutils nsd python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
export PATH="$PATH:/usr/sbin"
cat > "$temp/zone" <<'ZONE'
$ORIGIN x.example.
$TTL 60
@ IN SOA ns h 1 7200 900 604800 77
@ IN NS ns.example.
a 2147483647 IN A 192.0.2.1
b 4294967295 IN A 192.0.2.2
ZONE
cat > "$temp/read.py" <<'PY'
import sys, dns.zone
for name, rdataset in dns.zone.from_file(sys.argv[1], "x.example", relativize=False).iterate_rdatasets("A"):
    print(f"{name} {rdataset.ttl} A -")
PY
ttls() { sed -n 's/^[ab][^ \t]*[ \t]*\([0-9]*\)[ \t].*A[ \t].*/\1/p' | tr '\n' ' '; }
{
  echo "BIND: $(named-compilezone -q -k ignore -o - x.example "$temp/zone" 2> "$temp/bind" | ttls)"
  echo "ldns: $(ldns-read-zone "$temp/zone" | ttls)"
  echo "NSD: $(nsd-checkzone -p x.example "$temp/zone" 2>&1 | ttls)"
  echo "dnspython: $(/usr/bin/python3 "$temp/read.py" "$temp/zone" | ttls)"
} | sed 's/ $//' | tee "$temp/seen"
named-checkzone -v; ldns-read-zone -v | sed -n 1p; nsd-checkzone -h 2>&1 | grep -o 'Version [0-9.]*[0-9]'; /usr/bin/python3 -c 'import dns.version as v; print(v.version)'
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
BIND: 2147483647 0
ldns: 2147483647 4294967295
NSD: 2147483647 3600
dnspython: 2147483647 4294967295
SEEN
