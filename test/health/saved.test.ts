import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VERDICT_DOWN, VERDICT_UP } from '../../dist/board/board.js';
import { EventLog } from '../../dist/health/events.js';
import { loadSaved } from '../../dist/health/saved.js';
import { addresses, target } from '../support/fleet.ts';
import { HealthPair } from '../support/health-pair.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-saved-'));
  file = join(folder, 'state', 'health.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function until(condition: () => boolean): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('never happened');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('saved verdicts', () => {
  test('a restarted monitor starts from them and probes again at once', async () => {
    const first = new HealthPair({ stateFile: file });
    first.answers.set('10.0.0.1', 'refused');
    first.setTargets(addresses(3).map((address) => target(address)));
    await first.settle();
    const since = first.client.health('net.cat/p/10.0.0.1')!.sinceMs;
    await first.stop();

    const second = new HealthPair({ stateFile: file, clock: first.clock });
    second.setTargets(addresses(3).map((address) => target(address)));
    expect(second.verdicts()).toBe('up down up');
    const round = second.client.firstRound();
    await second.clock.advance(1);
    await round;
    expect(second.verdicts()).toBe('up down up');
    expect(second.client.health('net.cat/p/10.0.0.1')).toMatchObject({
      sinceMs: since,
      lastProbe: { reason: 'connection refused' },
    });
    expect([0, 1, 2].map((slot) => second.board.get(slot).verdict)).toEqual([VERDICT_UP, VERDICT_DOWN, VERDICT_UP]);
    await second.clock.advance(10);
    expect(second.tries.get('10.0.0.1:80')).toHaveLength(1);
    await second.stop();
  });

  test('a flip is on disk soon after, without a stop', async () => {
    const fleet = new HealthPair({ stateFile: file });
    fleet.setTargets([target('10.0.0.1')]);
    await fleet.settle();
    fleet.answers.set('10.0.0.1', 'refused');
    await fleet.clock.advance(14_000);
    await until(() => existsSync(file) && JSON.stringify(loadSaved(file)).includes('"verdict":"down"'));
    await fleet.stop();
  });

  test('a monitor that stops before it has targets leaves the file alone', async () => {
    const first = new HealthPair({ stateFile: file });
    first.setTargets([target('10.0.0.1')]);
    await first.settle();
    await first.stop();
    const second = new HealthPair({ stateFile: file });
    await second.stop();
    const third = new HealthPair({ stateFile: file });
    third.setTargets([target('10.0.0.1')]);
    expect(third.verdicts()).toBe('up');
    await third.stop();
  });

  test('a changed check does not start from the verdict of the old one', async () => {
    const first = new HealthPair({ stateFile: file });
    first.setTargets([target('10.0.0.1')]);
    await first.settle();
    await first.stop();
    const second = new HealthPair({ stateFile: file });
    second.setTargets([target('10.0.0.1', { fall: 2 })]);
    expect(second.verdicts()).toBe('unknown');
    await second.stop();
  });

  test('a torn or foreign file is ignored with a warning, wherever it was torn', async () => {
    const first = new HealthPair({ stateFile: file });
    first.setTargets(addresses(3).map((address) => target(address)));
    await first.settle();
    await first.stop();
    const whole = readFileSync(file);
    for (const content of [...Array(40).keys()]
      .map((i) => whole.subarray(0, Math.floor((whole.length * i) / 40)))
      .concat([Buffer.from('null'), Buffer.from('[]'), Buffer.from('{"format":"x"}'), Buffer.alloc(100)])) {
      writeFileSync(file, content);
      const fleet = new HealthPair({ stateFile: file });
      fleet.setTargets([target('10.0.0.1')]);
      expect(fleet.verdicts()).toBe('unknown');
      expect(fleet.logged.some((line) => line.event === 'health-state-ignored')).toBe(true);
      await fleet.stop();
    }
  });

  test('entries that make no sense are left out, the others count', async () => {
    const first = new HealthPair({ stateFile: file });
    first.setTargets(addresses(2).map((address) => target(address)));
    await first.settle();
    await first.stop();
    const saved = JSON.parse(readFileSync(file, 'utf8')) as {
      leaves: Record<string, { state: { failures: unknown } }>;
    };
    Object.values(saved.leaves)[0]!.state.failures = 'many';
    writeFileSync(file, JSON.stringify(saved));
    const second = new HealthPair({ stateFile: file });
    second.setTargets(addresses(2).map((address) => target(address)));
    expect(second.verdicts()).toBe('unknown up');
    await second.stop();
  });

  test('a freeze and what it holds outlive a restart', async () => {
    const first = new HealthPair({ stateFile: file });
    first.setTargets(addresses(2).map((address) => target(address)));
    await first.settle();
    first.client.freeze(null, 'works', 'ops');
    first.answers.set('10.0.0.0', 'refused');
    await first.settle();
    await first.stop();
    const second = new HealthPair({ stateFile: file });
    second.answers.set('10.0.0.0', 'refused');
    second.setTargets(addresses(2).map((address) => target(address)));
    await second.settle();
    expect(second.client.frozen()).toMatchObject({ reason: 'works' });
    expect(second.verdicts()).toBe('up up');
    second.client.thaw('ops');
    await second.clock.advance(10);
    expect(second.verdicts()).toBe('down up');
    await second.stop();
  });

  test('a folder that cannot be written is told, not thrown', async () => {
    writeFileSync(join(folder, 'state'), 'a file');
    const fleet = new HealthPair({ stateFile: file });
    fleet.setTargets([target('10.0.0.1')]);
    await fleet.clock.advance(10);
    await fleet.stop();
    expect(fleet.logged.some((line) => line.event === 'health-save-failed')).toBe(true);
  });
});

describe('the event log', () => {
  const quiet = pino({ level: 'silent' });

  test('numbers events, keeps the last ones, and finds those after a number', () => {
    const events = new EventLog<{ what: number }>({ file: null, log: quiet, capacity: 10 });
    for (let what = 1; what <= 35; what++) events.add({ what });
    expect(events.list().map((event) => event.what)).toEqual([26, 27, 28, 29, 30, 31, 32, 33, 34, 35]);
    expect(events.list(33).map((event) => event.seq)).toEqual([34, 35]);
    expect(events.list(0, 3).map((event) => event.seq)).toEqual([33, 34, 35]);
  });

  test('tells listeners until they leave', () => {
    const events = new EventLog<{ what: number }>({ file: null, log: quiet });
    const heard: number[] = [];
    const leave = events.subscribe((event) => heard.push(event.what));
    events.add({ what: 1 });
    leave();
    events.add({ what: 2 });
    expect(heard).toEqual([1]);
  });

  test('outlives a crash: every event is in the file at once, a torn last line is skipped, numbers go on', () => {
    const path = join(folder, 'events.jsonl');
    const first = new EventLog<{ what: number }>({ file: path, log: quiet, capacity: 100 });
    for (let what = 1; what <= 5; what++) first.add({ what });
    truncateSync(path, readFileSync(path).length - 3);
    const warnings: string[] = [];
    const log = pino({}, { write: (line: string) => warnings.push(line) });
    const second = new EventLog<{ what: number }>({ file: path, log, capacity: 100 });
    expect(second.list().map((event) => event.what)).toEqual([1, 2, 3, 4]);
    expect(warnings.join()).toContain('events-damaged');
    second.add({ what: 6 });
    second.close();
    const third = new EventLog<{ what: number }>({ file: path, log, capacity: 100 });
    expect(third.list().map((event) => event.what)).toEqual([1, 2, 3, 4, 6]);
    third.close();
    first.close();
  });

  test('its file stays bounded', () => {
    const path = join(folder, 'events.jsonl');
    const events = new EventLog<{ what: number }>({ file: path, log: quiet, capacity: 10 });
    for (let what = 0; what < 1000; what++) events.add({ what });
    events.close();
    expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThanOrEqual(21);
  });
});
