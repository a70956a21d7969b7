#!/usr/bin/env bash
# npm's iso-3166-2 and iso-3166 have not one code of China, Poland or Kazakhstan in common
#
# Guess: both follow ISO 3166-2, the older one lacks a few recent changes.
# What happens: of China's, Poland's and Kazakhstan's codes they share not one: the standard replaced whole sets (CN-11 became CN-BJ, PL-MZ PL-14, KZ-AKM KZ-11), and the packages
#   stand on two sides of it. For the United States, Brazil, Germany and Canada they are the same.
# Why it matters: a rule for CN-11 in one tool and a database that says CN-BJ never meet, and both are "ISO codes". Ask which edition a package has before its codes go into a file.
# Seen: iso-3166-2 1.0.0, iso-3166 4.4.0 (npm).
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts iso-3166-2@1.0.0 iso-3166@4.4.0 > /dev/null)
cat > "$temp/compare.mjs" <<'JS'
import old from 'iso-3166-2';
import { iso31662 } from 'iso-3166';
for (const country of ['US', 'BR', 'DE', 'CA', 'CN', 'PL', 'KZ', 'NO', 'CZ', 'FR']) {
  const first = new Set(Object.keys(old.data[country].sub));
  const second = new Set(iso31662.map(({ code }) => code).filter((code) => code.startsWith(`${country}-`)));
  const both = [...first].filter((code) => second.has(code)).length;
  console.log(`${country}: ${first.size} codes, ${second.size} codes, ${both} in both`);
}
JS
(cd "$temp" && node compare.mjs) | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
US: 57 codes, 57 codes, 57 in both
BR: 27 codes, 27 codes, 27 in both
DE: 16 codes, 16 codes, 16 in both
CA: 13 codes, 13 codes, 13 in both
CN: 34 codes, 34 codes, 0 in both
PL: 16 codes, 16 codes, 0 in both
KZ: 16 codes, 20 codes, 0 in both
NO: 21 codes, 13 codes, 6 in both
CZ: 105 codes, 90 codes, 64 in both
FR: 131 codes, 124 codes, 103 in both
SEEN
