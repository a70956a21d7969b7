#!/usr/bin/env bash
# npm's maxmind gives an IPv6 address the record of some IPv4 address when the file has IPv4 alone; the other readers raise an error
#
# Guess: an IPv6 address isn't found in an IPv4-only file, or is an error, as the format's description has it.
# What happens: npm's maxmind and mmdb-lib walk the tree by the first 32 bits: 2001:4860::1 gets the record of 32.1.72.96, in the United States, and so does all of
#   2001:4860::/32; 2a02:6b8::1 (Russia) that of 42.2.6.184 in Hong Kong. mmdblookup and Python's maxminddb say that it is an IPv6 address in an IPv4-only database.
# Why it matters: with an IPv4-only file in place of a full one all IPv6 users are somewhere, most of them in the wrong place, and nothing is logged. Look at ip_version of the metadata first.
# Seen: maxmind 5.0.7, mmdb-lib 3.0.3 (npm), mmdblookup 1.7.1, python3-maxminddb 2.2.0 (Debian 12), geo-whois-asn-country-mmdb 2.3.2026061719 as the file.
# Needs (Debian): mmdb-bin python3-maxminddb; npm
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts maxmind@5.0.7 mmdb-lib@3.0.3 @ip-location-db/geo-whois-asn-country-mmdb@2.3.2026061719 > /dev/null)
file="$temp/node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country-ipv4.mmdb"
cat > "$temp/look.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import maxmind from 'maxmind';
import { Reader } from 'mmdb-lib';
const [file, ...addresses] = process.argv.slice(2);
const readers = { maxmind: await maxmind.open(file), 'mmdb-lib': new Reader(readFileSync(file)) };
for (const [name, reader] of Object.entries(readers)) for (const address of addresses) {
  console.log(`${name} (ip_version ${reader.metadata.ipVersion}): ${address} ${reader.get(address)?.country_code ?? 'no record'}`);
}
JS
{
  (cd "$temp" && node look.mjs "$file" 2001:4860::1 32.1.72.96 2a02:6b8::1 42.2.6.184)
  echo "mmdblookup: $(mmdblookup --file "$file" --ip 2001:4860::1 2>&1 | grep -o 'IPv6 address in an IPv4-only database')"
  /usr/bin/python3 - "$file" <<'PY'
import sys, maxminddb
try:
    print("python:", maxminddb.open_database(sys.argv[1]).get("2001:4860::1"))
except ValueError as error:
    print("python: ValueError")
PY
} | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
maxmind (ip_version 4): 2001:4860::1 US
maxmind (ip_version 4): 32.1.72.96 US
maxmind (ip_version 4): 2a02:6b8::1 HK
maxmind (ip_version 4): 42.2.6.184 HK
mmdb-lib (ip_version 4): 2001:4860::1 US
mmdb-lib (ip_version 4): 32.1.72.96 US
mmdb-lib (ip_version 4): 2a02:6b8::1 HK
mmdb-lib (ip_version 4): 42.2.6.184 HK
mmdblookup: IPv6 address in an IPv4-only database
python: ValueError
SEEN
