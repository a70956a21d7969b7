#!/usr/bin/env bash
# Russia is in Asia for npm's countries-list and in Europe for world-countries; Timor-Leste, Christmas Island and three more differ too
#
# Guess: the two differ in what lies on a border of continents: Russia, Turkey, Cyprus, perhaps the Caucasus.
# What happens: Turkey, Cyprus, Georgia, Armenia, Azerbaijan and Egypt are the same in both (countries-list: Turkey Asia, Cyprus Europe); Russia differs, and five
#   places at sea that nobody thinks of. Kosovo is in both, Ascension and Tristan da Cunha in one.
# Why it matters: a rule for "europe" holds for 140 million people or not by the package that a server takes continents from. Write RU itself.
# Seen: countries-list 3.4.1, world-countries 5.1.0 (npm).
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts countries-list@3.4.1 world-countries@5.1.0 > /dev/null)
cat > "$temp/compare.cjs" <<'JS'
const { countries } = require('countries-list');
const world = new Map(require('world-countries').map((country) => [country.cca2, country]));
const REGIONS = { AF: 'Africa', AN: 'Antarctic', AS: 'Asia', EU: 'Europe', NA: 'Americas', OC: 'Oceania', SA: 'Americas' };
for (const [code, { continent, name }] of Object.entries(countries)) {
  const other = world.get(code);
  if (other === undefined) console.log(`${code} ${name}: ${continent}, missing`);
  else if (REGIONS[continent] !== other.region) console.log(`${code} ${name}: ${continent}, ${other.region}`);
}
console.log('the same:', ['TR', 'CY', 'GE', 'AM', 'AZ', 'EG', 'KZ', 'XK'].map((code) => `${code} ${countries[code].continent} ${world.get(code).region}`).join(', '));
JS
(cd "$temp" && node compare.cjs) | sort | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
AC Ascension Island: AF, missing
CC Cocos (Keeling) Islands: AS, Oceania
CX Christmas Island: AS, Oceania
IO British Indian Ocean Territory: AS, Africa
RU Russia: AS, Europe
TA Tristan da Cunha: AF, missing
TL East Timor: OC, Asia
UM U.S. Minor Outlying Islands: OC, Americas
the same: TR AS Asia, CY EU Europe, GE AS Asia, AM AS Asia, AZ AS Asia, EG AF Africa, KZ AS Asia, XK EU Europe
SEEN
