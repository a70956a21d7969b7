#!/usr/bin/env bash
# In world-atlas's map of 1:10m, d3-geo finds nearly every city of the earth in the Maldives
#
# Guess: a finer map gives the same country for a capital as a coarser one, and no city two countries.
# What happens: rings of three atolls of the Maldives in the 10m file are wound the wrong way round, so on the sphere each holds everything but an islet: geoContains says yes to Singapore,
#   Lisbon, Tokyo, and geoArea of the country is three times the earth. Whoever takes the last match, or the first of a search from the end, is told MV. The 50m and 110m files are
#   right in that, but at 110m Singapore is Malaysia, and at 50m New York, Mumbai and Lisbon lie in no country.
# Why it matters: "which country is this point in" from these files is no substitute for a database: at 10m it needs a check of areas, at 50m and 110m ports are in the sea.
# Seen: world-atlas 2.0.2, d3-geo 3.1.1, topojson-client 3.1.0 (npm).
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts world-atlas@2.0.2 d3-geo@3.1.1 topojson-client@3.1.0 > /dev/null)
cat > "$temp/find.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import { geoArea, geoContains } from 'd3-geo';
import { feature } from 'topojson-client';
const cities = { Singapore: [103.85, 1.29], Lisbon: [-9.14, 38.72], Mumbai: [72.83, 18.95], 'New York': [-74.006, 40.713], Tokyo: [139.69, 35.69], Amsterdam: [4.9, 52.37] };
for (const scale of ['110m', '50m', '10m']) {
  const atlas = JSON.parse(readFileSync(`node_modules/world-atlas/countries-${scale}.json`, 'utf8'));
  const countries = feature(atlas, atlas.objects.countries).features;
  const found = Object.entries(cities).map(([city, point]) => {
    const names = countries.filter((country) => geoContains(country, point)).map((country) => country.properties.name);
    return `${city}: ${names.sort().join(' and ') || 'none'}`;
  });
  const maldives = countries.find((country) => country.properties.name === 'Maldives');
  console.log(`${scale}, Maldives ${maldives ? ((geoArea(maldives) / (4 * Math.PI)) * 100).toFixed(1) : '-'}% of the earth; ${found.join(', ')}`);
}
JS
(cd "$temp" && node find.mjs) | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
110m, Maldives -% of the earth; Singapore: Malaysia, Lisbon: Portugal, Mumbai: none, New York: United States of America, Tokyo: Japan, Amsterdam: Netherlands
50m, Maldives 0.0% of the earth; Singapore: Singapore, Lisbon: none, Mumbai: none, New York: none, Tokyo: Japan, Amsterdam: Netherlands
10m, Maldives 300.0% of the earth; Singapore: Maldives and Singapore, Lisbon: Maldives and Portugal, Mumbai: India and Maldives, New York: Maldives and United States of America, Tokyo: Japan and Maldives, Amsterdam: Maldives and Netherlands
SEEN
