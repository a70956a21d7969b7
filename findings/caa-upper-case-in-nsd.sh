#!/usr/bin/env bash
# NSD refuses a CAA record whose tag is in upper case, in text; as octets it takes and serves it
#
# Guess: RFC 8659 section 4.1 compares tags without regard to case, so ISSUE is as good as issue everywhere.
# What happens: BIND and ldns load it and keep the case; NSD refuses the whole zone: "invalid tag ISSUE: contains invalid char I". The same record in the form of RFC 3597, by
#   octets, loads, and NSD shows it as octets: it is the text form alone that it has no word for.
# Why it matters: a zone with such a tag works on a primary of another make, and fails on the day when the file is carried over by hand.
# Seen: NSD 4.6.1, BIND 9.18.49, ldns 1.8.3 (Debian 12).
# Needs (Debian): nsd bind9-utils ldnsutils
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
export PATH="$PATH:/usr/sbin"
nsd-checkzone -h 2>&1 | grep -o 'Version [0-9.]*[0-9]'
head='$ORIGIN x.example.\n$TTL 60\n@ IN SOA ns h 1 7200 900 604800 77\n@ IN NS ns.example.\n'
printf "$head"'a IN CAA 0 ISSUE "ca.example"\n' > "$temp/text"
# Flags 0, a tag of 5 octets "ISSUE", then "ca.example".
printf "$head"'a IN TYPE257 \\# 17 00 05 4953535545 63612e6578616d706c65\n' > "$temp/octets"

named-checkzone -q -k ignore x.example "$temp/text" || changed "BIND refuses it"
ldns-read-zone "$temp/text" | grep 'CAA.*ISSUE' || changed "ldns refuses it"
if nsd-checkzone x.example "$temp/text" > "$temp/nsd" 2>&1; then changed "NSD takes the text form"; fi
grep -o 'invalid tag.*' "$temp/nsd" || changed "NSD refuses it with other words: $(cat "$temp/nsd")"
nsd-checkzone -p x.example "$temp/octets" 2>&1 | grep CAA || changed "NSD refuses the octets"
