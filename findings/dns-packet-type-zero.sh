#!/usr/bin/env bash
# npm's dns-packet encodes a question for HTTPS, SVCB or TYPE65 as type 0, without an error
#
# Guess: an unknown type's name throws, and "TYPE65" (RFC 3597) is 65.
# What happens: the type becomes 0 for each of HTTPS, SVCB, URI and TYPE65; UNKNOWN_65, the word that the library itself prints when it decodes one, is right. A record of such a type
#   loses its type in the same way.
# Why it matters: monitoring that asks a server for HTTPS with this library asks for type 0, and takes the empty answer for "no HTTPS record".
# Seen: dns-packet 5.6.1 (npm).
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts dns-packet@5.6.1 > /dev/null)
cat > "$temp/encode.cjs" <<'JS'
const { encode, decode } = require('dns-packet');
for (const type of ['A', 'CAA', 'HTTPS', 'SVCB', 'URI', 'TYPE65', 'UNKNOWN_65']) {
  const bytes = encode({ type: 'query', id: 1, questions: [{ type, name: 'a.example' }] });
  console.log(`${type}: type ${bytes.readUInt16BE(bytes.length - 4)}, read back as ${decode(bytes).questions[0].type}`);
}
JS
(cd "$temp" && node encode.cjs) | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
A: type 1, read back as A
CAA: type 257, read back as CAA
HTTPS: type 0, read back as UNKNOWN_0
SVCB: type 0, read back as UNKNOWN_0
URI: type 0, read back as UNKNOWN_0
TYPE65: type 0, read back as UNKNOWN_0
UNKNOWN_65: type 65, read back as UNKNOWN_65
SEEN
