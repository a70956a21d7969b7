// The long form of the fuzzer, `npm run fuzz`: millions of requests over the answer path, then over the sockets of the real program.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readByDnspython, readByLdns } from './readers.mjs';
import { fuzzRespond, replayCorpus } from './run.mjs';
import { fuzzSocket } from './socket.mjs';

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '10000000' },
    udp: { type: 'string', default: '1000000' },
    tcp: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    keep: { type: 'string', default: '0' },
    help: { type: 'boolean' },
  },
});
if (values.help) {
  console.log(`npm run fuzz -- [--packets N] [--udp N] [--tcp N] [--seed N] [--keep N]

  --packets  requests to the answer path, 10 million      --seed  a run with the same seed makes the same requests
  --udp      requests over a UDP socket, a million        --keep  write the N shortest requests of different effect to corpus/
  --tcp      requests over TCP, 100,000`);
  process.exit(0);
}

/** How much the program's memory may grow after it has warmed up: what a collector leaves lying now and then. */
const GROWTH_BYTES = 16e6;
/** ldns is asked by a process for each answer. */
const LDNS_SAMPLE = 1000;
const millions = (count) => (count >= 1e6 ? `${(count / 1e6).toFixed(1)} million` : String(count));
let failed = false;

function report(found) {
  const texts = new Map();
  for (const { what, line } of found) if (!texts.has(what)) texts.set(what, line);
  for (const [what, line] of [...texts].slice(0, 20)) console.error(`FOUND: ${what}\n  ${line}`);
  if (found.length > 0) failed = true;
}

const seed = Number(values.seed);
console.log(`seed ${seed}`);

const replayed = await replayCorpus();
report(replayed.found);
console.log(`corpus: ${replayed.requests} requests`);

const startMs = performance.now();
let shown = 0;
const run = await fuzzRespond({
  packets: Number(values.packets),
  seed,
  onProgress: (done) => {
    if (done - shown < 1e6) return;
    shown = done;
    console.log(`  ${millions(done)} after ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  },
});
report(run.found);
console.log(
  `answer path: ${millions(run.packets)} requests in ${((performance.now() - startMs) / 1000).toFixed(0)} s, ${millions(run.answers)} answers ` +
    `of ${run.kinds} kinds, ${millions(run.truncated)} truncated, ${run.transfers} transfers of ${run.messages} messages`,
);
console.log(
  `  rcodes: ${Object.entries(run.rcodes)
    .map(([rcode, count]) => `${rcode}: ${count}`)
    .join(', ')}`,
);

for (const [name, wrong, count] of [
  ['dnspython', readByDnspython(run.sample), run.sample.length],
  ['ldns', readByLdns(run.sample.slice(0, LDNS_SAMPLE)), Math.min(run.sample.length, LDNS_SAMPLE)],
]) {
  if (wrong === null) {
    console.log(`  ${name} is not installed (Debian: apt-get install python3-dnspython ldnsutils)`);
    continue;
  }
  report(wrong.map((line) => ({ what: `${name}: ${line.slice(0, 200)}`, line })));
  console.log(`  ${name} read ${count - wrong.length} of ${count} answers`);
}
if (Number(values.keep) > 0) {
  const lines = run.novel.sort((a, b) => a.length - b.length).slice(0, Number(values.keep));
  const head =
    '# Requests that once had an effect of their own: SETUP TRANSPORT PEER HEX. Written by `npm run fuzz -- --keep N`.\n';
  writeFileSync(new URL('./corpus/effects.txt', import.meta.url), `${head}${lines.sort().join('\n')}\n`);
}

if (Number(values.udp) > 0) {
  const began = performance.now();
  const socket = await fuzzSocket({ udp: Number(values.udp), tcp: Number(values.tcp), seed });
  report(socket.found);
  const [first = 0] = socket.resident;
  const growth = socket.resident.at(-1) - first;
  const megabytes = socket.resident.map((bytes) => Math.round(bytes / 1e6)).join(' ');
  console.log(
    `sockets: ${millions(socket.packets)} requests, ${millions(socket.answers)} answers in ${((performance.now() - began) / 1000).toFixed(0)} s; ` +
      `resident MB after each tenth: ${megabytes}`,
  );
  if (growth > GROWTH_BYTES) report([{ what: `memory has grown by ${Math.round(growth / 1e6)} MB`, line: '' }]);
}
console.log(failed ? 'MISTAKES WERE FOUND' : 'nothing found');
process.exitCode = failed ? 1 : 0;
