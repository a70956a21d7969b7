// The figures of docs/steering.md, measured anew: fairness of weights, movement of sticky clients, load shedding by fifty members.
import { expect, it } from 'vitest';
import { LOAD_FULL } from '../../dist/board/board.js';
import { nextLoadFactor } from '../../dist/health/load-factor.js';
import { query } from '../support/dns.ts';
import { Plane, values } from '../support/plane.ts';

const zone = (pool: string, set: string): string =>
  `zone: example.test\nns: [ns.example.net.]\npools:\n  p: ${pool}\nrecords:\n  www: { A: ${set} }\n`;
const tell = (...lines: string[]): void => {
  for (const line of lines) process.stdout.write(`${line}\n`);
};

it('weights from 0 to 1000: a million draws', () => {
  const weights = [0, 1, 2, 5, 10, 50, 100, 250, 500, 1000];
  const members = weights.map((weight, i) => `{ address: 192.0.2.${i + 1}, weight: ${weight} }`).join(', ');
  const plane = new Plane([zone(`{ members: [${members}] }`, '{ answers: 1, pools: [p] }')]);
  const draws = 1_000_000;
  const seen = new Float64Array(weights.length);
  const request = query({ name: 'www.example.test.', type: 'A' });
  for (let i = 0; i < draws; i++) {
    const response = plane.exchange(request)!;
    seen[response[response.length - 1]! - 1]!++;
  }
  const total = weights.reduce((a, b) => a + b);
  let statistic = 0;
  tell('weight  expected  drawn');
  weights.forEach((weight, i) => {
    const expected = (draws * weight) / total;
    if (weight > 0) statistic += (seen[i]! - expected) ** 2 / expected;
    tell(`${String(weight).padStart(6)}${String(Math.round(expected)).padStart(10)}${String(seen[i]).padStart(7)}`);
  });
  tell(`chi-square ${statistic.toFixed(1)} with 8 degrees of freedom (26.1 is exceeded once in a thousand by chance)`);
  expect(seen[0]).toBe(0);
  expect(statistic).toBeLessThan(26.1);
});

it('sticky clients that move when one of n members is lost', () => {
  tell('members  clients of the lost one  moved  others moved');
  for (const n of [2, 3, 5, 10, 50]) {
    const members = Array.from({ length: n }, (_, i) => `192.0.2.${i + 1}`);
    const plane = new Plane([zone(`{ pick: sticky, members: [${members.join(', ')}] }`, '{ pools: [p] }')]);
    const clients = Array.from({ length: 10_000 }, (_, i) => `11.${i >> 8}.${i & 255}.0/24`);
    const of = (client: string): string => values(plane.ask('www.example.test.', 'A', { subnet: client }))[0]!;
    const before = clients.map(of);
    plane.down('example.test/p/192.0.2.1');
    const moved = clients.map((client, i) => of(client) !== before[i]);
    const lost = before.filter((member) => member === '192.0.2.1').length;
    const others = moved.filter((is, i) => is && before[i] !== '192.0.2.1').length;
    const share = ((100 * lost) / clients.length).toFixed(1);
    const total = ((100 * moved.filter(Boolean).length) / clients.length).toFixed(1);
    tell(`${String(n).padStart(7)}${`${share}%`.padStart(25)}${`${total}%`.padStart(7)}${String(others).padStart(14)}`);
    expect(others).toBe(0);
    expect(Math.abs(lost / clients.length - 1 / n)).toBeLessThan(0.02);
  }
});

it('fifty members of different size shed load until it is even', () => {
  // The model of test/health/load-factor.test.ts: a third of the clients follow the weights in each round.
  const sizes = Array.from({ length: 50 }, (_, i) => 0.5 + (i % 10) / 10);
  const demand = sizes.reduce((a, b) => a + b) * 0.75;
  let factors = sizes.map(() => LOAD_FULL);
  let clients = sizes.map(() => demand / 50);
  tell('round  highest load  lowest load  members above 95%');
  let highest = 0;
  for (let round = 0; round <= 400; round++) {
    const loads = clients.map((now, i) => now / sizes[i]!);
    highest = Math.max(...loads);
    if ([0, 5, 10, 20, 50, 100, 200, 300, 400].includes(round)) {
      const over = loads.filter((load) => load >= 0.95).length;
      tell(
        `${String(round).padStart(5)}${highest.toFixed(2).padStart(14)}${Math.min(...loads)
          .toFixed(2)
          .padStart(13)}${String(over).padStart(19)}`,
      );
    }
    factors = factors.map((factor, i) => nextLoadFactor(factor, loads[i]!, [0.7, 0.95]));
    const total = factors.reduce((a, b) => a + b, 0);
    clients = clients.map((now, i) => now + ((demand * factors[i]!) / total - now) / 3);
  }
  expect(highest).toBeLessThan(1);
});
