#!/usr/bin/env bash
# npm's two parsers of zone files lose records without a word: zone-file makes a record of the name "IN", dns-zonefile an address ")"
#
# Guess: what RFC 1035 section 5.1 has (a blank owner, a TTL with a unit or behind the class, parentheses, ";" inside of quotes) is read, or refused with an error.
# What happens: neither raises an error for any line. zone-file: $TTL 1h is 1 second, a record with a blank owner belongs to the name "IN", the text of a TXT comes from the lines around it,
#   CAA is left out. dns-zonefile: A records with "1h IN" or "IN 60" are left out, and "( 192.0.2.7 )" is the address ")". Both leave HTTPS out.
# Why it matters: converters to other formats are built on them. Count records before and after, and compare by asking both servers; SPF and DKIM texts go first.
# Seen: zone-file 1.0.0, dns-zonefile 0.3.2 (npm).
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts zone-file@1.0.0 dns-zonefile@0.3.2 > /dev/null)
cat > "$temp/zone" <<'ZONE'
$ORIGIN x.example.
$TTL 1h
@ IN SOA ns h ( 1 7200 900 604800 77 )
@ IN NS ns
a 300 IN A 192.0.2.1
  IN A 192.0.2.2
f 1h IN A 192.0.2.3
h IN 60 A 192.0.2.5
l IN A ( 192.0.2.7 )
b IN TXT "v=spf1; -all"
d IN CAA 0 issue "ca.example"
i IN HTTPS 1 . alpn=h2
ZONE
cat > "$temp/parse.cjs" <<'JS'
const { readFileSync } = require('node:fs');
const text = readFileSync('zone', 'utf8');
const show = (name, zone) => {
  const addresses = zone.a.map((record) => `${record.name} ${record.ttl ?? '-'} ${record.ip}`).join(', ');
  console.log(`${name}: $TTL ${zone.$ttl}; A: ${addresses}; TXT ${zone.txt[0].txt}; CAA ${zone.caa?.length ?? 0}, HTTPS ${zone.https?.length ?? 0}`);
};
show('zone-file', require('zone-file').parseZoneFile(text));
show('dns-zonefile', require('dns-zonefile').default.parse(text));
JS
(cd "$temp" && node parse.cjs) | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
zone-file: $TTL 1; A: a 300 192.0.2.1, IN - 192.0.2.2, f - 192.0.2.3, h - 192.0.2.5, l - 192.0.2.7; TXT 192.0.2.7,CAA,0,issue,ca.example; CAA 0, HTTPS 0
dns-zonefile: $TTL 1h; A: a 300 192.0.2.1, a - 192.0.2.2, l - ); TXT "v=spf1; -all"; CAA 1, HTTPS 0
SEEN
