// A thread that answers one question again and again on the shared memory, and notes when an answer last named a member.
import { parentPort, workerData } from 'node:worker_threads';
import { createAnswerer } from '../../dist/serve/answerer.js';
import { readAnswer } from '../wire.mjs';

const { memory, shared, packet, member } = workerData;
const none = new Uint8Array(0);
const { answerer } = createAnswerer(
  memory,
  {
    udpMaxBytes: 1232,
    udpMaxBytesWithoutCookie: 1232,
    cookieSecrets: [new Uint8Array(16)],
    rate: null,
    nsid: none,
    version: none,
    hostname: none,
    keepalive: 100,
  },
  () => {},
);
const room = 4096;
const arena = Buffer.alloc(room);
answerer.peer.w0 = 0x7f000001;
parentPort.unref();
let before = false;
for (;;) {
  arena.set(packet);
  const begun = process.hrtime.bigint();
  answerer.beginBatch();
  const length = answerer.respond(arena, 0, packet.length, room, 0);
  answerer.endBatch();
  const finished = process.hrtime.bigint();
  const names = readAnswer(arena.subarray(0, length)).addresses.includes(member);
  if (names) {
    Atomics.store(shared, 1, begun);
    Atomics.add(shared, 0, 1n);
  } else if (before) Atomics.store(shared, 2, finished);
  before = names;
}
