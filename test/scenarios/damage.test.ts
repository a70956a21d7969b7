// Damage of every kind in files of state/: nothing throws, then or later, and what was not hit is still there.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { eventView } from '../../dist/api/event-view.js';
import { HealthEventSchema } from '../../dist/health/event.js';
import { EventLog } from '../../dist/health/events.js';
import { readSaved, writeSaved } from '../../dist/health/saved.js';
import { Serials } from '../../dist/loading/serials.js';
import { Drains } from '../../dist/targets/drains.js';
import { ForcedStates, forcedView } from '../../dist/targets/forced-states.js';
import { FakeClock } from '../support/clock.ts';
import { TestStorage } from '../support/storage.ts';

const folder = mkdtempSync(join(tmpdir(), 'meridian-damage-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'file');
const clock = new FakeClock();
const NOW = clock.nowMs();
const forced = {
  state: 'drain',
  untilMs: NOW + 1e6,
  reason: 'r',
  by: 'b',
  sinceMs: NOW,
  longestTtlSeconds: 60,
} as const;
const KEYS = ['z/p', 'z/p/192.0.2.1', 'z/q', '_common/x', 'z/"}{,'];

/** A reader of one kind of file: loads it, uses everything that came of it, and returns the names of the entries that it knows. */
type Use = () => string[];

const useForced: Use = () => {
  const states = new ForcedStates({
    file,
    storage: new TestStorage(clock, { readOnly: true }),
    clock,
    onChange: () => {},
  });
  states.load();
  const known = KEYS.filter((key) => forcedView(states.of(key, key)) !== null);
  void states.stop();
  return known;
};
const useSerials: Use = () => {
  const serials = new Serials({ file, storage: new TestStorage(clock, { readOnly: true }) });
  serials.load();
  return KEYS.filter((key) => serials.assign(key, 'k', null, 5) === 2_000_000_000);
};
const useDrains: Use = () => {
  const drains = new Drains({ file, storage: new TestStorage(clock, { readOnly: true }), nowMs: NOW });
  drains.load(true);
  const nothing = { untilSeconds: 0, lastSeconds: 0, answers: 0 };
  return KEYS.filter((key) => drains.view(key, forced, nothing, 0, NOW).secondsLeft === 777);
};
const useEvents: Use = () => {
  const events = new EventLog({
    kept: { file, storage: new TestStorage(clock, { readOnly: true }) },
    schema: HealthEventSchema,
  });
  events.load();
  const ids = events.list().map((event) => eventView(event).id);
  expect(Number.isSafeInteger(ids.at(-1) ?? 0)).toBe(true);
  return ids.map((id) => KEYS[id - 1] ?? '');
};
const useVerdicts: Use = () => {
  try {
    const { saved, unread } = readSaved(readFileSync(file, 'utf8'), () => {});
    writeSaved(saved, unread);
    new Date(saved.freeze?.untilMs ?? 0).toISOString();
    for (const { state, lastProbe } of Object.values(saved.leaves)) {
      new Date(state.sinceMs ?? 0).toISOString();
      new Date(lastProbe?.atMs ?? 0).toISOString();
    }
    return Object.keys(saved.leaves);
  } catch (error) {
    // The one who loads it tells.
    expect(error).toBeInstanceOf(Error);
    return [];
  }
};

const entries = (value: unknown): Record<string, unknown> => Object.fromEntries(KEYS.map((key) => [key, value]));
const probe = {
  state: { verdict: 'up', probed: 'up', failures: 0, successes: 2, sinceMs: NOW, flips: [NOW], flapping: false },
  lastProbe: { ok: true, reason: 'ok', evidence: '', latencyMs: 1.5, atMs: NOW, load: null, certificateDays: null },
  latencies: [1, 2],
};
const event = {
  atMs: NOW,
  kind: 'flip',
  target: 'z/p/a',
  check: 'web',
  from: 'up',
  to: 'down',
  reason: '',
  evidence: '',
  latencyMs: 1,
  by: null,
};
const left = { untilSeconds: NOW / 1000 + 777, lastSeconds: NOW / 1000, sinceDrain: 1 };
const saved = { format: 'meridian-health/1', savedAtMs: NOW, freeze: null, blackout: null, held: {} };

type Wrap = (entries: Record<string, unknown>) => string;
const plain: Wrap = (all) => JSON.stringify(all);
const KINDS: readonly (readonly [name: string, use: Use, entry: object, wrap: Wrap])[] = [
  ['forced states', useForced, forced, plain],
  ['serials', useSerials, { serial: 2_000_000_000, key: 'k' }, plain],
  ['answers', useDrains, left, (all) => JSON.stringify({ unknownBeforeMs: 0, targets: all })],
  [
    'events',
    useEvents,
    event,
    (all) =>
      `${Object.values(all)
        .map((one, i) =>
          JSON.stringify(typeof one === 'object' && one !== null && !Array.isArray(one) ? { ...one, seq: i + 1 } : one),
        )
        .join('\n')}\n`,
  ],
  ['verdicts', useVerdicts, probe, (all) => JSON.stringify({ ...saved, leaves: all })],
];

/** Another value in place of any one inside. */
function mutate(value: unknown, path: number, other: unknown): unknown {
  if (typeof value !== 'object' || value === null || path % 3 === 0) return other;
  const keys = Object.keys(value);
  if (keys.length === 0) return other;
  const key = keys[path % keys.length]!;
  const inner = mutate((value as Record<string, unknown>)[key], Math.floor(path / 3), other);
  return Array.isArray(value) ? value.map((one, i) => (String(i) === key ? inner : one)) : { ...value, [key]: inner };
}

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(1e300, -1, 2 ** 53, 8.64e15 + 1, '', '__proto__', [], {}, null, true),
);

describe.each(KINDS)('a file of %s', (_name, use, entry, wrap) => {
  it('is known whole when nothing is wrong with it', () => {
    writeFileSync(file, wrap(entries(entry)));
    expect(use().sort()).toEqual([...KEYS].sort());
  });

  it('with a value changed in one entry costs that entry at most', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KEYS), fc.nat(5_000), anything, (hit, path, other) => {
        writeFileSync(file, wrap({ ...entries(entry), [hit]: mutate(entry, path, other) }));
        const known = use();
        for (const key of KEYS) if (key !== hit) expect(known).toContain(key);
      }),
      { numRuns: 300 },
    );
  });

  it('with bytes changed, cut off or inserted anywhere throws nothing, then or when it is used', () => {
    const good = Buffer.from(wrap(entries(entry)));
    const damage = fc.record({
      at: fc.nat(good.length),
      cut: fc.nat(20),
      put: fc.uint8Array({ maxLength: 20 }),
      end: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        let bytes = good;
        for (const { at, cut, put, end } of damages) {
          bytes = Buffer.concat([bytes.subarray(0, at), put, end ? Buffer.alloc(0) : bytes.subarray(at + cut)]);
        }
        writeFileSync(file, bytes);
        expect(() => use()).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});
