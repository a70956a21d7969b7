import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VERDICT_DOWN, VERDICT_UP } from '../../dist/board/board.js';
import { addresses, target } from '../support/fleet.ts';
import { HealthPair } from '../support/health-pair.ts';
import { until } from '../support/storage.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-saved-'));
  file = join(folder, 'state', 'health.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const saved = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

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
    await until(() => saved().includes('"verdict":"down"'));
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
      expect(fleet.storage.damaged).toMatchObject([{ file }]);
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
    expect(fleet.storage.unsaved).toMatchObject([{ file }]);
  });

  test('entries of another version are kept as they stand', async () => {
    const first = new HealthPair({ stateFile: file });
    first.setTargets([target('10.0.0.1')]);
    await first.settle();
    await first.stop();
    const content = JSON.parse(saved()) as { leaves: Record<string, unknown> };
    const strange = { verdict: 'perhaps', views: [1, 2] };
    writeFileSync(file, JSON.stringify({ ...content, leaves: { ...content.leaves, 'icmp 10.0.0.9': strange } }));
    const second = new HealthPair({ stateFile: file });
    second.setTargets([target('10.0.0.1')]);
    expect(second.verdicts()).toBe('up');
    await second.stop();
    expect(JSON.parse(saved()).leaves['icmp 10.0.0.9']).toEqual(strange);
  });

  test('a freeze is known though the verdicts behind it are cut off', async () => {
    const first = new HealthPair({ stateFile: file });
    first.setTargets([target('10.0.0.1')]);
    await first.settle();
    first.client.freeze(null, 'works', 'ops');
    await first.stop();
    writeFileSync(file, saved().slice(0, -30));
    const second = new HealthPair({ stateFile: file });
    expect(second.client.frozen()).toMatchObject({ reason: 'works' });
    await second.stop();
  });
});
