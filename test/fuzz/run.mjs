// Runs the fuzzer over the answer path, and replays what it once found.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decode } from 'dns-packet';
import { Dice, Mutator, PEERS } from './mutate.mjs';
import { answer, openPlanes, Violation } from './plane.mjs';
import { NAMES } from './zones.mjs';

const CORPUS = fileURLToPath(new URL('./corpus/', import.meta.url));
const BATCH = 64;
/** Transfers that are made of those that a turn of 64 batches let through. */
const TRANSFERS = 20;

/**
 * @typedef {object} Found a request that showed a mistake
 * @property {string} what
 * @property {string} line `SETUP TRANSPORT PEER HEX`, as in the corpus
 */

/** A line of the corpus. */
function lineOf(setup, tcp, peer, bytes) {
  return `${setup} ${tcp ? 'tcp' : 'udp'} ${peer} ${bytes.toString('hex')}`;
}

/**
 * Sends mutated requests to `respond`, in turn to every setup.
 * @param {object} options
 * @param {number} options.packets
 * @param {number} options.seed
 * @param {number} [options.sampleEvery] each how-manieth answer is read by dns-packet as well, and kept for dnspython
 * @param {(done: number) => void} [options.onProgress]
 * @returns {Promise<{ packets: number, answers: number, octets: number, rcodes: Record<string, number>, truncated: number,
 *   transfers: number, messages: number, kinds: number, sample: Buffer[], novel: string[], found: Found[] }>}
 */
export async function fuzzRespond(options) {
  const planes = await openPlanes();
  const dice = new Dice(options.seed);
  const kinds = new Set();
  const result = { packets: 0, answers: 0, octets: 0, rcodes: {}, truncated: 0, transfers: 0, messages: 0 };
  const sample = [];
  const novel = [];
  const found = [];
  const mutators = planes.map((plane) => {
    const mutator = new Mutator(dice, NAMES);
    mutator.cookies = plane.bake(PEERS);
    return mutator;
  });
  const sampleEvery = options.sampleEvery ?? 20;
  const rcodes = new Float64Array(32);
  for (let turn = 0; result.packets < options.packets; turn++) {
    const which = turn % planes.length;
    const plane = planes[which];
    const mutator = mutators[which];
    for (let batch = 0; batch < 64; batch++) {
      plane.stir(dice);
      plane.begin();
      for (let i = 0; i < BATCH; i++) {
        mutator.next();
        const peer = dice.below(PEERS.length);
        const tcp = dice.below(4) === 0;
        result.packets++;
        let reply;
        try {
          reply = plane.ask(mutator.bytes, mutator.length, PEERS[peer], tcp, dice.below(8));
          if (reply !== null && result.answers % sampleEvery === 0) decode(reply);
        } catch (error) {
          found.push(mistake(error, lineOf(plane.name, tcp, peer, mutator.bytes.subarray(0, mutator.length))));
          if (found.length >= 20) return finish();
          continue;
        }
        if (reply === null) continue;
        result.answers++;
        result.octets += reply.length;
        rcodes[answer.rcode]++;
        if (answer.truncated) result.truncated++;
        // dnspython has no name for most opcodes.
        if (result.answers % (sampleEvery * 50) === 0 && (reply[2] & 0x78) === 0) sample.push(Buffer.from(reply));
        const kind = answer.kind ^ which;
        if (!kinds.has(kind)) {
          kinds.add(kind);
          mutator.keep();
          if (mutator.length < 600)
            novel.push(lineOf(plane.name, tcp, peer, mutator.bytes.subarray(0, mutator.length)));
        }
      }
      plane.end();
    }
    // A few transfers of those that were let through; the others are dropped.
    for (const asked of plane.transfers.splice(0).slice(0, TRANSFERS)) {
      result.transfers++;
      try {
        result.messages += await plane.transfer(asked);
      } catch (error) {
        found.push(mistake(error, lineOf(plane.name, true, 0, Buffer.from(asked.request))));
      }
    }
    options.onProgress?.(result.packets);
  }
  return finish();

  function finish() {
    for (const plane of planes) plane.checkImages();
    rcodes.forEach((count, rcode) => {
      if (count > 0) result.rcodes[rcode] = count;
    });
    return { ...result, kinds: kinds.size, sample, novel, found };
  }
}

function mistake(error, line) {
  return { what: error instanceof Violation ? error.message : (error?.stack ?? String(error)), line };
}

/**
 * Asks every request of the corpus again.
 * @returns {Promise<{ requests: number, found: Found[] }>}
 */
export async function replayCorpus() {
  const planes = new Map((await openPlanes()).map((plane) => [plane.name, plane]));
  for (const plane of planes.values()) plane.bake(PEERS);
  const found = [];
  let requests = 0;
  for (const file of readdirSync(CORPUS).sort()) {
    for (const line of readFileSync(`${CORPUS}${file}`, 'utf8').split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const [setup, transport, peer, hex = ''] = line.split(' ');
      const plane = planes.get(setup);
      const bytes = Buffer.from(hex, 'hex');
      requests++;
      try {
        plane.begin();
        const reply = plane.ask(bytes, bytes.length, PEERS[peer], transport === 'tcp', 0);
        plane.end();
        if (reply !== null) decode(reply);
        for (const asked of plane.transfers.splice(0)) await plane.transfer(asked);
      } catch (error) {
        found.push(mistake(error, `${file}: ${line}`));
      }
    }
  }
  for (const plane of planes.values()) plane.checkImages();
  return { requests, found };
}
