#!/usr/bin/env bash
# koffi passes an integer that is out of its type's range as another number, without an error
#
# Guess: 256 for a uint8_t, 70000 for a uint16_t (a port), or -1 for a uint32_t raise a RangeError, as Node's Buffer does.
# What happens: the upper bits are cut: 70000 arrives as 4464, -1 as 4294967295, and 1.9 as 1. Only what is no number is refused.
# Why it matters: a port, a TTL or a length from a file that goes to a C function by way of koffi must be checked before; 70000 listens on 4464 and nobody is told.
# Seen: koffi 3.3.4 (npm), glibc 2.36 (Debian 12).
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts koffi@3.3.4 > /dev/null)
cat > "$temp/call.cjs" <<'JS'
const koffi = require('koffi');
const libc = koffi.load('libc.so.6');
const htons = libc.func('uint16_t htons(uint16_t)');
const htonl = libc.func('uint32_t htonl(uint32_t)');
const abs = libc.func('int abs(int)');
const swap16 = (n) => ((n & 255) << 8) | (n >> 8);
const told = (call) => { try { return call(); } catch (error) { return error.constructor.name; } };
console.log('uint16_t 443:', told(() => swap16(htons(443))));
console.log('uint16_t 70000:', told(() => swap16(htons(70000))));
console.log('uint16_t 443.9:', told(() => swap16(htons(443.9))));
console.log('uint32_t -1:', told(() => htonl(-1)));
console.log('int 2 ** 32 + 5:', told(() => abs(2 ** 32 + 5)));
console.log('int "443":', told(() => abs('443')));
JS
(cd "$temp" && node call.cjs) | tee "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
uint16_t 443: 443
uint16_t 70000: 4464
uint16_t 443.9: 443
uint32_t -1: 4294967295
int 2 ** 32 + 5: 5
int "443": TypeError
SEEN
