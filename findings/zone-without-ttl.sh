#!/usr/bin/env bash
# A record without a TTL, in a zone without $TTL, has three different TTLs in four readers of zone files
#
# Guess: all take the SOA's minimum, or all refuse the file; RFC 2308 section 4 and RFC 1035 section 5.1 are old and well known.
# What happens: after a record with TTL 50, a record without one has 50 in BIND and ldns (RFC 1035: the last one stated), 3600 in NSD (a default of its own; Knot has the same),
#   and 77, the SOA's minimum field, in dnspython. None says a word. A later $TTL mends it from there on in all four.
# Why it matters: a zone moved between servers, or converted by a script on dnspython, changes its TTLs silently, and with them how long a failover takes.
# Seen: BIND 9.18.49, ldns 1.8.3, NSD 4.6.1, dnspython 2.3.0 (Debian 12).
# Needs (Debian): bind9-utils ldnsutils nsd python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
export PATH="$PATH:/usr/sbin"
cat > "$temp/zone" <<'ZONE'
$ORIGIN x.example.
@ 3600 IN SOA ns h 1 7200 900 604800 77
@ 3600 IN NS ns.example.
a 50 IN A 192.0.2.1
b IN A 192.0.2.2
$TTL 99
c IN A 192.0.2.3
ZONE
cat > "$temp/read.py" <<'PY'
import sys, dns.zone
for name, rdataset in dns.zone.from_file(sys.argv[1], "x.example", relativize=False).iterate_rdatasets("A"):
    print(name, rdataset.ttl)
PY
# The TTLs of a, b and c.
ttls() { sed -n 's/^[abc][^ \t]*[ \t]*\([0-9]*\)[ \t].*[ \t]A[ \t].*/\1/p' | tr '\n' ' '; }
echo "BIND $(named-checkzone -v): $(named-compilezone -q -k ignore -o - x.example "$temp/zone" | ttls)" | tee "$temp/seen"
echo "ldns $(ldns-read-zone -v | grep -o '[0-9.]*[0-9]' | sed -n 1p): $(ldns-read-zone "$temp/zone" | ttls)" | tee -a "$temp/seen"
echo "NSD $(nsd-checkzone -h 2>&1 | grep -o 'Version [0-9.]*[0-9]'): $(nsd-checkzone -p x.example "$temp/zone" 2>&1 | ttls)" | tee -a "$temp/seen"
echo "dnspython $(/usr/bin/python3 -c 'import dns.version as v; print(v.version)'): $(/usr/bin/python3 "$temp/read.py" "$temp/zone" | awk '{ print $2 }' | tr '\n' ' ')" | tee -a "$temp/seen"
diff <(sed 's/ [^:]*: /: /; s/ $//' "$temp/seen") - <<'SEEN' || changed "see the difference above"
BIND: 50 50 99
ldns: 50 50 99
NSD: 50 3600 99
dnspython: 50 77 99
SEEN
