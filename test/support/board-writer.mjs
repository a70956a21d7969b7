// One of the board's two writers, on a thread of its own: writes its bits again and again, and looks each time whether they are as it left them.
import { parentPort, workerData } from 'node:worker_threads';
import { unpackTarget, writeForced, writeHealth } from '../../dist/board/board.js';

const { board, side, rounds, slots, gate } = workerData;
const words = new Int32Array(board);
const ready = new Int32Array(gate);
// Both begin at once: what one of them did before the other came would prove nothing.
Atomics.add(ready, 0, 1);
while (Atomics.load(ready, 0) < 2);

let seed = side === 'health' ? 1 : 2;
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
};
/** What this side wrote last, and how often it found the other's bits changed since its own last look. */
const wrote = Array(slots).fill(null);
const others = Array(slots).fill(0);
let lost = 0;
let mixed = 0;
for (let i = 0; i < rounds; i++) {
  const slot = random(slots);
  const { forced, ...health } = unpackTarget(Atomics.load(words, slot));
  const [mine, other] = side === 'health' ? [JSON.stringify(health), forced] : [forced, JSON.stringify(health)];
  if (wrote[slot] !== null && mine !== wrote[slot]) lost++;
  if (other !== others[slot]) mixed++;
  others[slot] = other;
  if (side === 'health') {
    const next = { verdict: random(3), load: random(256), watched: random(2) === 1, flipSeconds: random(524_288) };
    writeHealth(words, slot, next);
    wrote[slot] = JSON.stringify(next);
  } else {
    wrote[slot] = random(4);
    writeForced(words, slot, wrote[slot]);
  }
}
parentPort.postMessage({ lost, mixed });
