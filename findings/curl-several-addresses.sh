#!/usr/bin/env bash
# curl gives each address half of the connect time that is left: behind three dead ones a live one may never be tried
#
# Guess: curl tries addresses in parallel after a fifth of a second (happy eyeballs), or gives each its equal share of --connect-timeout.
# What happens: only between IPv6 and IPv4 is there a race. Within a family each address gets half of what is left, rounded up to a second's tick: with 10 s and one dead
#   address before the live one about 6 s, and with 3 s and three dead ones it fails although the fourth is alive.
# Why it matters: "several addresses in the answer" hardly helps programs on libcurl whose connect time is short. Take dead addresses out by health checks, and give few.
# Seen: curl 7.88.1 (Debian 12).
# Needs: root (a network namespace of its own); Debian: curl nftables iproute2 util-linux
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
curl --version | sed -n 1p | cut -d' ' -f1-2
cat > "$temp/run" <<'SH'
set -e
ip link set lo up
for i in 1 2 3 9; do ip addr add 192.0.2.$i/32 dev lo; done
nft -f - <<'RULES'
table inet f { chain i { type filter hook input priority 0; ip daddr { 192.0.2.1, 192.0.2.2, 192.0.2.3 } drop; }; };
RULES
node -e "require('http').createServer((_, r) => r.end('alive')).listen(80, '192.0.2.9')" & server=$!
trap 'kill $server' EXIT
until curl -s -o /dev/null --max-time 1 http://192.0.2.9/; do sleep 0.1; done
ask() { curl -s -o /dev/null -w '%{http_code} %{time_connect}\n' --connect-timeout "$1" --resolve "web.example:80:$2" http://web.example/ || true; }
echo "one $(ask 10 192.0.2.1,192.0.2.9)"
echo "two $(ask 10 192.0.2.1,192.0.2.2,192.0.2.9)"
echo "three $(ask 3 192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.9)"
SH
unshare -n bash "$temp/run" | tee "$temp/seen"
awk '$1 == "one" && $2 == 200 && $3 > 4.9 && $3 < 7 { n++ } $1 == "two" && $2 == 200 && $3 > 7.4 && $3 < 9.5 { n++ } $1 == "three" && $2 == "000" { n++ }
  END { exit n == 3 ? 0 : 1 }' "$temp/seen" || changed "curl shares its time in another way"
