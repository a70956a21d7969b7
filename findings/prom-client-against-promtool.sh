#!/usr/bin/env bash
# Three of prom-client's own default metrics fail promtool's check
#
# Guess: the default metrics of the usual Prometheus client pass the usual linter.
# What happens: nodejs_active_handles_total, nodejs_active_requests_total and nodejs_active_resources_total are gauges whose names end in _total, which promtool keeps for counters; it exits 3.
# Why it matters: a pipeline that checks a server's /metrics with promtool fails on the library's metrics, not on the server's own: leave the default ones out, or let the check look at own names.
# Seen: prom-client 15.1.3 (npm), promtool 2.42.0 (Debian 12, package prometheus).
# Needs (Debian): prometheus; npm
set -euo pipefail
temp=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$temp"' EXIT
changed() { echo "CHANGED: $*" >&2; exit 1; }
promtool --version 2>&1 | sed -n 1p
(cd "$temp" && npm install --silent --no-audit --no-fund --ignore-scripts prom-client@15.1.3 > /dev/null)
cat > "$temp/metrics.cjs" <<'JS'
const client = require('prom-client');
client.collectDefaultMetrics();
client.register.metrics().then((text) => { process.stdout.write(text); process.exit(); });
JS
(cd "$temp" && node metrics.cjs) > "$temp/metrics"
status=0
promtool check metrics < "$temp/metrics" > "$temp/report" 2>&1 || status=$?
grep -o '^nodejs[a-z_]*.*' "$temp/report" | sort | tee "$temp/seen"
echo "exit $status" | tee -a "$temp/seen"
diff "$temp/seen" - <<'SEEN' || changed "see the difference above"
nodejs_active_handles_total non-counter metrics should not have "_total" suffix
nodejs_active_requests_total non-counter metrics should not have "_total" suffix
nodejs_active_resources_total non-counter metrics should not have "_total" suffix
exit 3
SEEN
