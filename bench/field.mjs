// The field of servers: which are installed, starting one of them with a world of names, and measuring one run of load.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { dnsperf, load } from './generators.mjs';
import { floor } from './peers/floor.mjs';
import { gdnsd } from './peers/gdnsd.mjs';
import { knot } from './peers/knot.mjs';
import { meridian } from './peers/meridian.mjs';
import { nsd } from './peers/nsd.mjs';
import { pdns } from './peers/pdns.mjs';
import { coreSeconds, cpuSeconds, freePort, pin, start, untilAnswer } from './process.mjs';
import { verify } from './verify.mjs';

/**
 * The servers to measure: `{ present: [peer with .versionText], absent: [name] }`. `names` keeps those whose name begins
 * with one of them; `nodes` are the Node binaries that Meridian runs on.
 */
export function assemble({ names, nodes }) {
  const all = [floor, gdnsd, ...nodes.map(meridian), nsd, knot, pdns];
  const wanted = names.length === 0 ? all : all.filter((peer) => names.some((name) => peer.name.startsWith(name)));
  const present = [];
  const absent = [];
  for (const peer of wanted) {
    const versionText = peer.version();
    if (versionText) present.push({ ...peer, versionText });
    else absent.push(peer.name);
  }
  return { present, absent };
}

let folders = 0;

/**
 * Starts a peer and waits until it answers. `world`: `{ zones, geography }`. Returns what process.mjs's `start` does with
 * `peer`, `port`, `adminPort`, `directory` and `firstAnswerMs`.
 */
export async function launch(
  bench,
  peer,
  world,
  { workers = 1, cores = bench.serverCore, limitMs = 180_000, env } = {},
) {
  const directory = join(bench.directory, `${peer.name.replace(/\W+/g, '-')}-${folders++}`);
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const adminPort = await freePort();
  const command = peer.prepare({ directory, port, adminPort, workers, tools: bench.tools, ...world });
  return await relaunch(bench, { peer, directory, port, adminPort, command, world }, { cores, limitMs, env });
}

/** Starts again what `launch` prepared, on the same files. */
export async function relaunch(
  bench,
  { peer, directory, port, adminPort, command, world },
  { cores = bench.serverCore, limitMs = 180_000, env, first } = {},
) {
  const server = start(peer.name, {
    ...command,
    cores,
    env: { ...command.env, ...env },
    logPath: join(directory, 'output.txt'),
  });
  const zone = world.zones[0];
  const firstAnswerMs = await untilAnswer(
    server,
    port,
    first ?? `h${zone.first}.${zone.origin}`,
    server.startedAt,
    limitMs,
  );
  // Some servers (Knot) tie their threads to cores of their own choice.
  if (cores) pin(server.pid, cores);
  return { ...server, peer, directory, port, adminPort, command, world, firstAnswerMs };
}

/** Starts all peers, one after the other; those that can't be started or answer wrongly are told and left out. */
export async function launchAll(bench, peers, world, sample, options) {
  const running = [];
  for (const peer of peers) {
    try {
      const server = await launch(bench, peer, world, options);
      const wrong = await verify(peer, server.port, sample);
      if (wrong.length > 0) {
        bench.note(`${peer.name} left out, it answers wrongly: ${wrong.join('; ')}`);
        await server.stop();
      } else running.push(server);
    } catch (error) {
      bench.note(`${peer.name} left out: ${error.message}`);
    }
  }
  return running;
}

/**
 * One run of load against a running server: the generator's figures and the server's CPU, in microseconds per answered
 * query, and which share of the server's core others used or the hypervisor kept.
 */
export async function measure(
  bench,
  server,
  { file, seconds = bench.seconds, rate, generator = bench.generator, window = 150, sources },
) {
  const core = Number.parseInt(bench.serverCore, 10);
  const before = cpuSeconds(server.pid);
  const coreBefore = coreSeconds(core);
  const at = performance.now();
  const common = { port: server.port, file, seconds, core: bench.loadCore };
  const result =
    generator === 'dnsperf'
      ? await dnsperf({ ...common, rate })
      : await load({ ...common, program: bench.tools.load, ...(rate === undefined ? { window } : { rate }), sources });
  const wall = (performance.now() - at) / 1000;
  const coreAfter = coreSeconds(core);
  const after = cpuSeconds(server.pid);
  const user = after.user - before.user;
  const sys = after.sys - before.sys;
  return {
    ...result,
    userUs: (user / result.answered) * 1e6,
    sysUs: (sys / result.answered) * 1e6,
    totalUs: ((user + sys) / result.answered) * 1e6,
    busy: (user + sys) / result.seconds,
    foreign: Math.max(0, coreAfter.busy - coreBefore.busy - user - sys + coreAfter.steal - coreBefore.steal) / wall,
  };
}

/** The middle of a list of numbers. */
export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length === 0
    ? Number.NaN
    : sorted.length % 2 === 1
      ? sorted[half]
      : (sorted[half - 1] + sorted[half]) / 2;
}

/** The middle of the ratios of two servers' runs, round by round: what disturbed a round disturbed both. */
export const medianRatio = (runs, base, key) =>
  median(runs.map((run, i) => run[key] / base[i]?.[key]).filter(Number.isFinite));

/** Calls `each(server, round)` for every server in every round; each round begins with another server. */
export async function interleaved(servers, rounds, each) {
  for (let round = 0; round < rounds; round++)
    for (let i = 0; i < servers.length; i++) await each(servers[(i + round) % servers.length], round);
}
