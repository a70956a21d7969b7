// The answer path under test: real zones in shared memory, no sockets, canaries around every answer, verdicts that change.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Answerer } from '../../dist/answer/respond.js';
import { Transfers } from '../../dist/answer/transfer.js';
import { systemClock } from '../../dist/base/clock.js';
import { createLog } from '../../dist/base/log.js';
import { RandomWords } from '../../dist/base/random.js';
import { Cookies } from '../../dist/guard/cookies.js';
import { RateLimiter } from '../../dist/guard/rate.js';
import { Serving } from '../../dist/loading/serving.js';
import { createAnswerer } from '../../dist/serve/answerer.js';
import { answer, judge, request, Violation } from './judge.mjs';
import { writeZones } from './zones.mjs';

const CANARY = 0xa5;
const GUARD = 256;
/** Room of an answer over UDP as the server's arena has it, and over TCP. */
const UDP_ROOM = 4096;
const TCP_ROOM = 65_535;
const SECRET = new Uint8Array(16).fill(0x42);
const NOW_MS = 1_800_000_000_000;

/** Ways to set a server up; a run goes through all of them. */
export const SETUPS = [
  { name: 'plain', root: false, udpMax: 1232, udpMaxWithoutCookie: 1232, cookies: false, identity: '', rate: null },
  {
    name: 'cookies',
    root: false,
    udpMax: 4096,
    udpMaxWithoutCookie: 600,
    cookies: true,
    identity: 'fuzz-1',
    rate: null,
  },
  {
    name: 'root',
    root: true,
    udpMax: 1400,
    udpMaxWithoutCookie: 1400,
    cookies: true,
    identity: 'i'.repeat(255),
    rate: null,
  },
  { name: 'limited', root: true, udpMax: 1232, udpMaxWithoutCookie: 1232, cookies: true, identity: 'fuzz-2', rate: 3 },
];

/** Loads the zones once; `planes` share them. */
async function load(root) {
  const directory = mkdtempSync(join(tmpdir(), 'meridian-fuzz-'));
  writeZones(directory, { root });
  const serving = new Serving({
    zonesDirectory: join(directory, 'zones'),
    geoDirectory: join(directory, 'geoip'),
    overridesFile: join(directory, 'geoip', 'overrides.yaml'),
    stateDirectory: null,
    baseDirectory: directory,
    checkRules: { exec: false, files: [], linkLocal: false },
    clock: systemClock,
    log: createLog('fatal'),
  });
  await serving.load(() => {});
  serving.publish();
  await serving.stop();
  rmSync(directory, { recursive: true });
  const wrong = serving.diagnostics().filter((d) => d.severity === 'error' && !d.file.includes('broken.test'));
  if (wrong.length > 0) throw new Error(`the fuzzer's zones have mistakes: ${JSON.stringify(wrong)}`);
  return serving;
}

/** One server's answer path. */
export class Plane {
  #setup;
  #serving;
  #answerer;
  #reader;
  #parts;
  #slots = [];
  #nowMs = NOW_MS;
  #arena = Buffer.alloc(GUARD + 8 + TCP_ROOM + GUARD, CANARY);
  #clean = Buffer.alloc(GUARD + 8 + TCP_ROOM + GUARD, CANARY);
  #copy = Buffer.alloc(TCP_ROOM + GUARD);
  #valid = new Set();
  #peerKey = '';
  #circumstances;
  #imageHash = '';
  /** Transfers that were asked for and not made yet. @type {{ request: Uint8Array, peer: object }[]} */
  transfers = [];

  constructor(setup, serving) {
    this.#setup = setup;
    this.#serving = serving;
    const text = (value) => Uint8Array.from(Buffer.from(value));
    const made = createAnswerer(
      serving.rows.memory(1, serving.images.store, serving.board),
      {
        udpMaxBytes: setup.udpMax,
        udpMaxBytesWithoutCookie: setup.udpMaxWithoutCookie,
        cookieSecrets: [],
        rate: null,
        nsid: text(setup.identity),
        version: text(setup.identity),
        hostname: text(setup.identity),
        keepalive: 100,
      },
      () => {},
    );
    const clock = { nowMs: () => this.#nowMs, monotonicMs: () => 0, after: () => () => {} };
    const parts = {
      ...made.parts,
      clock,
      steadyMs: clock.nowMs,
      random: new RandomWords([1, 2, 3, 4]),
      cookies: setup.cookies ? new Cookies([SECRET]) : null,
      rate:
        setup.rate === null
          ? null
          : new RateLimiter({ responsesPerSecond: setup.rate, slip: 2, ipv4Prefix: 24, ipv6Prefix: 56, exempt: [] }, 1),
    };
    this.#parts = parts;
    this.#reader = made.parts.reader;
    this.#answerer = new Answerer(parts);
    this.#answerer.transfer = new Transfers(parts).handler;
    for (let slot = 0; serving.board.idOf(slot) !== undefined; slot++) this.#slots.push(slot);
    this.#circumstances = {
      tcp: false,
      udpMax: setup.udpMax,
      udpMaxWithoutCookie: setup.udpMaxWithoutCookie,
      cookies: setup.cookies,
      isValidCookie: (cookie) => this.#valid.has(`${this.#peerKey} ${cookie.toString('latin1')}`),
      limited: setup.rate !== null,
    };
    this.#imageHash = this.#hashImages();
  }

  get name() {
    return this.#setup.name;
  }

  /** Makes a server cookie for each peer. @returns {Buffer[]} */
  bake(peers) {
    if (!this.#setup.cookies) return [];
    return peers.map((peer) => {
      const cookie = Buffer.alloc(24);
      this.#parts.cookies.check(Buffer.alloc(8, 7), 8, peer, Math.floor(NOW_MS / 1000), cookie);
      this.#valid.add(`${peerKey(peer)} ${cookie.toString('latin1')}`);
      return cookie;
    });
  }

  /** Turns the state of some targets, and time, a little. */
  stir(dice) {
    this.#nowMs += dice.below(3);
    if (this.#slots.length === 0) return;
    for (let i = 1 + dice.below(10); i > 0; i--) {
      this.#serving.board.update(dice.pick(this.#slots), {
        verdict: dice.below(3),
        forced: dice.below(4) === 0 ? dice.below(4) : 0,
        load: dice.below(2) === 0 ? 255 : dice.below(256),
        watched: dice.below(4) !== 0,
        flipSeconds: dice.below(120),
      });
    }
    // Now and then a whole pool, or all of them.
    if (dice.below(8) === 0) {
      const verdict = dice.below(3);
      const hand = dice.below(4) === 0 ? 2 : 0;
      const from = dice.below(2) === 0 ? 0 : dice.below(this.#slots.length);
      for (let i = from; i < this.#slots.length; i++) this.#serving.board.update(this.#slots[i], { verdict, hand });
    }
  }

  begin() {
    this.#answerer.beginBatch();
  }

  end() {
    this.#answerer.endBatch();
  }

  /**
   * Asks and judges; between `begin` and `end`. Throws a Violation, or whatever `respond` throws.
   * @param {Buffer} bytes the request, `length` octets of it
   * @param {number} length
   * @param {object} peer one of PEERS
   * @param {boolean} tcp
   * @param {number} shift 0 to 7: where the request starts in its room
   * @returns {Buffer | null} the answer, valid until the next; null for none
   */
  ask(bytes, length, peer, tcp, shift) {
    const arena = this.#arena;
    const at = GUARD + shift;
    const room = tcp ? TCP_ROOM : UDP_ROOM;
    bytes.copy(arena, at, 0, length);
    const to = this.#answerer.peer;
    to.family = peer.family;
    to.w0 = peer.w0;
    to.w1 = peer.w1;
    to.w2 = peer.w2;
    to.w3 = peer.w3;
    to.port = 5353;
    const got = this.#answerer.respond(arena, at, length, room, tcp ? 1 : 0);
    const used = Math.max(got, length);
    // Nothing may be written before the request, nor behind the longer of the two: an answer that shrank again may have used its room.
    const firstBehind = at + (got > 0 || length > 0 ? used : 0);
    if (arena.compare(this.#clean, 0, at, 0, at) !== 0) throw new Violation('octets before the request were written');
    const dirty = tcp ? at + room : at + Math.max(used, this.#writable());
    if (arena.compare(this.#clean, dirty, arena.length, dirty, arena.length) !== 0) {
      arena.set(this.#clean);
      throw new Violation(`octets behind the room were written`);
    }
    if (got > 0) arena.copy(this.#copy, 0, at, at + got);
    arena.fill(CANARY, at, Math.max(firstBehind, dirty));
    this.#peerKey = this.#setup.cookies ? peerKey(peer) : '';
    this.#circumstances.tcp = tcp;
    if (got < 0) {
      judge(bytes, length, this.#copy, 0, { ...this.#circumstances, limited: true, tcp: false });
      if (!tcp || request.wrong !== null || request.silent || (request.type !== 251 && request.type !== 252)) {
        throw new Violation('a transfer that was not asked for');
      }
      this.transfers.push({ request: Uint8Array.from(bytes.subarray(0, length)), peer: { ...peer, port: 5353 } });
      return null;
    }
    judge(bytes, length, this.#copy, got, this.#circumstances);
    return got === 0 ? null : this.#copy.subarray(0, got);
  }

  /** Octets of the room that an answer over UDP may use while it is made: the largest limit, and no more. */
  #writable() {
    return Math.max(512, this.#setup.udpMax);
  }

  /** Makes a transfer that was asked for and judges its messages; outside of `begin` and `end`. @returns {Promise<number>} messages */
  async transfer({ request: asked, peer }) {
    let count = 0;
    for await (const message of this.#answerer.transfer(asked, peer)) {
      if (message.length > TCP_ROOM) throw new Violation('a message of a transfer is too long');
      const bytes = Buffer.alloc(message.length + GUARD);
      bytes.set(message);
      judgeTransfer(Buffer.from(asked), bytes, message.length, count);
      count++;
    }
    if (count === 0) throw new Violation('a transfer without a message');
    return count;
  }

  /** Whether the zones are octet for octet as they were: answering only reads. */
  checkImages() {
    if (this.#hashImages() !== this.#imageHash) throw new Violation('answering has changed the zones in memory');
  }

  #hashImages() {
    const hash = createHash('sha1');
    // The first word is the one that tells which directory is current; it doesn't change here either.
    for (const bytes of this.#reader.bytes) if (bytes !== undefined) hash.update(bytes);
    return hash.digest('hex');
  }
}

const peerKey = (peer) => `${peer.w0} ${peer.w1} ${peer.w2} ${peer.w3}`;

/** A message of a transfer: the header, and records that add up. */
function judgeTransfer(asked, bytes, length, number) {
  if (length < 12) throw new Violation('a message of a transfer without a header');
  if (bytes[0] !== asked[0] || bytes[1] !== asked[1]) throw new Violation('a message of a transfer with another id');
  if ((bytes[2] & 0x80) === 0) throw new Violation('a message of a transfer that is no response');
  if (number > 0 && (bytes[3] & 15) !== 0) throw new Violation('an error in the middle of a transfer');
  walkTransfer(bytes, length);
}

function walkTransfer(bytes, length) {
  let p = 12;
  const skip = () => {
    for (;;) {
      if (p >= length) throw new Violation('a name of a transfer leaves the message');
      if (bytes[p] === 0) {
        p += 1;
        return;
      }
      if (bytes[p] >= 0xc0) {
        p += 2;
        return;
      }
      if (bytes[p] > 63) throw new Violation('a label of a transfer is too long');
      p += bytes[p] + 1;
    }
  };
  for (let i = bytes.readUInt16BE(4); i > 0; i--) {
    skip();
    p += 4;
  }
  for (let i = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10); i > 0; i--) {
    skip();
    if (p + 10 > length) throw new Violation('a record of a transfer leaves the message');
    p += 10 + bytes.readUInt16BE(p + 8);
  }
  if (p !== length) throw new Violation('octets behind the last record of a transfer');
}

/** Zones that were loaded, by whether the root is among them: loading takes a second, and answering changes nothing. */
const servings = new Map();

/** All planes, one for each setup. @returns {Promise<Plane[]>} */
export async function openPlanes() {
  const planes = [];
  for (const setup of SETUPS) {
    if (!servings.has(setup.root)) servings.set(setup.root, await load(setup.root));
    planes.push(new Plane(setup, servings.get(setup.root)));
  }
  return planes;
}

export { answer, Violation };
