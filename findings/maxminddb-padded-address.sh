#!/usr/bin/env bash
# A zero-padded address is another country by library: decimal in npm's maxmind, octal in libmaxminddb, an error in Python's pure reader
#
# Guess: 010.001.002.003, as some logs write it, is refused by all MMDB readers, or read in decimal by all.
# What happens: npm's maxmind and mmdb-lib read 10.1.2.3 (private, no record); mmdblookup and Python's maxminddb with its C extension read 8.1.2.3 (in the United States);
#   the same Python package without the extension raises ValueError. 008.008.008.008 is an address for npm alone.
# Why it matters: lists of networks and logs that are checked with one tool and looked up with another place users differently, and no tool says so. One Python script gives
#   other results on two machines, by whether a wheel with the extension was installed.
# Seen: maxmind 5.0.7, mmdb-lib 3.0.3 (npm), mmdblookup 1.7.1, python3-maxminddb 2.2.0 (Debian 12), geo-whois-asn-country-mmdb 2.3.2026061719 as the file.
# Needs (Debian): mmdb-bin python3-maxminddb; npm
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts maxmind@5.0.7 mmdb-lib@3.0.3 @ip-location-db/geo-whois-asn-country-mmdb@2.3.2026061719 > /dev/null)
file="$temp/node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb"
mmdblookup --version | grep version
cat > "$temp/look.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import maxmind from 'maxmind';
import { Reader } from 'mmdb-lib';
const [file, address] = process.argv.slice(2);
const readers = { maxmind: await maxmind.open(file), 'mmdb-lib': new Reader(readFileSync(file)) };
for (const [name, reader] of Object.entries(readers)) {
  try { console.log(`${name} ${reader.get(address)?.country_code ?? 'no record'}`); } catch (error) { console.log(`${name} error`); }
}
JS
cat > "$temp/look.py" <<'PY'
import sys, maxminddb
for name, mode in (("python-extension", maxminddb.MODE_MMAP_EXT), ("python-pure", maxminddb.MODE_MMAP)):
    try:
        record = maxminddb.open_database(sys.argv[1], mode).get(sys.argv[2])
        print(name, record["country_code"] if record else "no record")
    except ValueError:
        print(name, "ValueError")
PY
for address in 8.8.8.8 010.001.002.003 008.008.008.008; do
  tool=$(mmdblookup --file "$file" --ip "$address" country_code 2>&1 | grep -o '"[A-Z]*"\|not known\|not find' | tr -d '"' || true)
  echo "$address: $(cd "$temp" && node look.mjs "$file" "$address" | tr '\n' ',') mmdblookup $tool, $(/usr/bin/python3 "$temp/look.py" "$file" "$address" | paste -sd, )"
done | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
8.8.8.8: maxmind US,mmdb-lib US, mmdblookup US, python-extension US,python-pure US
010.001.002.003: maxmind no record,mmdb-lib no record, mmdblookup US, python-extension US,python-pure ValueError
008.008.008.008: maxmind US,mmdb-lib US, mmdblookup not known, python-extension ValueError,python-pure ValueError
SEEN
