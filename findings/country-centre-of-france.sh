#!/usr/bin/env bash
# The centre of France, of Norway and of Fiji, as d3-geo takes it from world-atlas, lies outside of them: France's is off the coast of Spain
#
# Guess: the centroid of a country's shape is near its middle: France's about 46 N 2 E, overseas parts being small.
# What happens: French Guiana is a part of France in these maps, and far away: it draws the centroid by 900 km to 43 N 6.8 W, near Oviedo. At 110m already Norway's (Svalbard) and
#   Japan's lie at sea. Nearest to "France" of the capitals is then Madrid.
# Why it matters: a server that has a country and no coordinates, and steers by distance, needs a point for the country. Taken from a map's centroid, all of France goes to Spain.
#   It has to be a table of places where people live (or a centroid of the largest part).
# Seen: world-atlas 2.0.2, d3-geo 3.1.1, topojson-client 3.1.0 (npm).
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts world-atlas@2.0.2 d3-geo@3.1.1 topojson-client@3.1.0 > /dev/null)
cat > "$temp/centre.mjs" <<'JS'
import { readFileSync } from 'node:fs';
import { geoCentroid, geoContains, geoDistance } from 'd3-geo';
import { feature } from 'topojson-client';
const capitals = { Paris: [2.35, 48.86], Madrid: [-3.7, 40.42], Oslo: [10.75, 59.91], Stockholm: [18.07, 59.33], Tokyo: [139.69, 35.69], Suva: [178.44, -18.14], Washington: [-77.04, 38.9], Ottawa: [-75.7, 45.42] };
const atlas = JSON.parse(readFileSync('node_modules/world-atlas/countries-110m.json', 'utf8'));
for (const country of feature(atlas, atlas.objects.countries).features) {
  const { name } = country.properties;
  if (!['France', 'Norway', 'Japan', 'Fiji', 'Poland'].includes(name)) continue;
  const centre = geoCentroid(country);
  const nearest = Object.keys(capitals).sort((a, b) => geoDistance(capitals[a], centre) - geoDistance(capitals[b], centre))[0];
  console.log(`${name}: ${centre[1].toFixed(0)} N ${centre[0].toFixed(0)} E, ${geoContains(country, centre) ? 'inside' : 'outside'}, nearest ${nearest}`);
}
JS
(cd "$temp" && node centre.mjs) | sort | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
Fiji: -17 N 179 E, outside, nearest Suva
France: 43 N -7 E, outside, nearest Madrid
Japan: 38 N 138 E, outside, nearest Tokyo
Norway: 67 N 13 E, outside, nearest Oslo
Poland: 52 N 19 E, inside, nearest Stockholm
SEEN
