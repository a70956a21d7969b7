#!/usr/bin/env bash
# An SVCB or HTTPS record in alias mode with parameters is loaded by BIND and NSD and can't be read by dnspython
#
# Guess: RFC 9460 has recipients ignore parameters in alias mode (priority 0), so either the zone's loader refuses them or everybody copes.
# What happens: BIND, NSD and ldns load such a record without a warning and serve it. dnspython raises a FormError on the whole message that holds one, and
#   refuses the zone file. The RFC's "MUST ignore" (section 2.4.2) is for the receiver, and dnspython is one.
# Why it matters: tools on dnspython (Certbot's plugins, Ansible, octoDNS, monitoring) see neither this record nor the others of a transferred zone, while browsers are fine.
#   An exporter must not write parameters at priority 0 although all servers would take them.
# Seen: BIND 9.18.49, NSD 4.6.1, ldns 1.8.3, dnspython 2.3.0 (Debian 12).
# Needs (Debian): bind9-utils nsd ldnsutils python3-dnspython
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
export PATH="$PATH:/usr/sbin"
named-checkzone -v; nsd-checkzone -h 2>&1 | grep -o "Version [0-9.]*[0-9]"; ldns-read-zone -v 2>&1 | sed -n 1p

printf '$ORIGIN x.example.\n$TTL 60\n@ IN SOA ns h 1 7200 900 604800 60\n@ IN NS ns.example.\nalias IN HTTPS 0 web.example. alpn=h2\n' > "$temp/zone"
named-checkzone -q -k ignore x.example "$temp/zone" || changed "BIND refuses the zone"
nsd-checkzone x.example "$temp/zone" > "$temp/nsd" 2>&1 || changed "NSD refuses the zone: $(cat "$temp/nsd")"
ldns-read-zone "$temp/zone" | grep -q 'HTTPS.*0 web.example. alpn=h2' || changed "ldns doesn't print the record"
echo "BIND, NSD, ldns: loaded"

/usr/bin/python3 - "$temp/zone" <<'PY' | tee "$temp/seen"
import sys, dns.message, dns.zone, dns.version
print("dnspython", dns.version.version)
# A reply with one HTTPS record: priority 0, web.example, key 1 (alpn) "h2".
question = bytes.fromhex("05616c696173017807") + b"example\0" + bytes.fromhex("00410001")
rdata = bytes.fromhex("000003") + b"web\x07example\0" + bytes.fromhex("00010003026832")
wire = bytes.fromhex("000184000001000100000000") + question + bytes.fromhex("c00c004100010000003c") + len(rdata).to_bytes(2, "big") + rdata
for what, read in (("message", lambda: dns.message.from_wire(wire)), ("zone file", lambda: dns.zone.from_file(sys.argv[1], "x.example"))):
    try:
        read()
        print(what, "read")
    except Exception as error:
        print(what, type(error).__name__, str(error).split(":")[-1].strip())
PY
grep -q "message FormError parameters in AliasMode" "$temp/seen" || changed "dnspython reads the message"
grep -q "zone file SyntaxError .*parameters in AliasMode" "$temp/seen" || changed "dnspython reads the zone file"
