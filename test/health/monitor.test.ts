import { describe, expect, test } from 'vitest';
import { check, tcpCheck } from '../support/checks.ts';
import { addresses, Fleet, target } from '../support/fleet.ts';

describe('the monitor', () => {
  test('knows a verdict after the first probe, and says so', async () => {
    const fleet = new Fleet();
    fleet.answers.set('10.0.0.1', 'refused');
    fleet.monitor.setTargets([target('10.0.0.0'), target('10.0.0.1')]);
    expect(fleet.verdicts()).toBe('unknown unknown');
    const round = fleet.monitor.firstRound();
    await fleet.clock.advance(10);
    await round;
    expect(fleet.verdicts()).toBe('up down');
    expect(fleet.monitor.health('net.cat/p/10.0.0.1')).toMatchObject({
      verdict: 'down',
      lastProbe: { ok: false, reason: 'connection refused', latencyMs: 5 },
    });
    expect(fleet.events.map((event) => [event.target, event.from, event.to])).toEqual([
      ['net.cat/p/10.0.0.0', 'unknown', 'up'],
      ['net.cat/p/10.0.0.1', 'unknown', 'down'],
    ]);
    fleet.monitor.stop();
  });

  test('the first round waits for every target, silent ones to their timeout', async () => {
    const fleet = new Fleet();
    fleet.answers.set('10.0.0.1', 'silent');
    fleet.monitor.setTargets([target('10.0.0.0'), target('10.0.0.1')]);
    let done = false;
    void fleet.monitor.firstRound().then(() => (done = true));
    await fleet.clock.advance(1_900);
    expect(done).toBe(false);
    await fleet.clock.advance(200);
    expect(done).toBe(true);
    fleet.monitor.stop();
  });

  test('the first round is over when the last unknown target is removed', async () => {
    const fleet = new Fleet();
    fleet.answers.set('10.0.0.1', 'silent');
    fleet.monitor.setTargets([target('10.0.0.1')]);
    const round = fleet.monitor.firstRound();
    fleet.monitor.setTargets([]);
    await round;
    await fleet.monitor.firstRound();
    fleet.monitor.stop();
  });

  test('a target without a check is up and never probed', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([target('10.0.0.1', null)]);
    await fleet.monitor.firstRound();
    await fleet.settle();
    expect(fleet.tries.size).toBe(0);
    expect(fleet.monitor.health('net.cat/p/10.0.0.1')).toMatchObject({
      verdict: 'up',
      secondsToFlip: Number.POSITIVE_INFINITY,
      lastProbe: null,
    });
    expect(fleet.changes).toHaveLength(1);
    fleet.monitor.stop();
  });

  test('equal probes run once, whoever uses them, and feed every target', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([
      target('10.0.0.1', { name: 'web' }, { zone: 'a' }),
      target('10.0.0.1', { name: 'site' }, { zone: 'b' }),
      target('10.0.0.1', { name: 'web' }, { zone: 'b', pool: 'q' }),
      target('10.0.0.1', { name: 'web' }, { zone: 'c', port: 81 }),
    ]);
    await fleet.settle();
    expect(fleet.tries.get('10.0.0.1:80')!.length).toBeLessThanOrEqual(5);
    fleet.answers.set('10.0.0.1:80', 'refused');
    await fleet.clock.advance(13_000);
    expect(fleet.verdicts()).toBe('down down down up');
    fleet.monitor.stop();
  });

  test('a dead backend is down after interval + 2 s at the latest with fast rechecks', async () => {
    const fleet = new Fleet({ blackoutHoldMs: 0 });
    fleet.monitor.setTargets(addresses(50).map((address) => target(address)));
    await fleet.settle();
    const diedMs = fleet.clock.nowMs();
    for (const address of addresses(50)) fleet.answers.set(address, 'refused');
    await fleet.clock.advance(12_010);
    expect(fleet.count('down')).toBe(50);
    const last = Math.max(...fleet.events.filter((event) => event.to === 'down').map((event) => event.atMs));
    expect(last - diedMs).toBeLessThanOrEqual(12_006);
    fleet.monitor.stop();
  });

  test('without fast rechecks it takes fall intervals', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([target('10.0.0.1', { fastRecheck: false })]);
    await fleet.settle();
    const diedMs = fleet.clock.nowMs();
    fleet.answers.set('10.0.0.1', 'refused');
    await fleet.clock.advance(40_000);
    const down = fleet.events.find((event) => event.to === 'down')!;
    expect(down.atMs - diedMs).toBeGreaterThan(18_000);
    expect(down.atMs - diedMs).toBeLessThanOrEqual(30_006);
    fleet.monitor.stop();
  });

  test('tells each change of verdict and time to the next flip, each report of a load, and nothing else', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([target('10.0.0.1')]);
    await fleet.settle();
    const before = fleet.changes.length;
    await fleet.clock.advance(100_000);
    expect(fleet.changes.length).toBe(before);
    fleet.load = 0.75;
    await fleet.clock.advance(30_100);
    expect(fleet.changes.length).toBeGreaterThanOrEqual(before + 3);
    expect(fleet.changes.at(-1)![1].load).toBe(0.75);
    fleet.answers.set('10.0.0.1', 'refused');
    await fleet.clock.advance(12_100);
    expect(fleet.changes.slice(-3).map(([, health]) => [health.verdict, health.secondsToFlip])).toEqual([
      ['up', 20],
      ['up', 10],
      ['down', 20],
    ]);
    fleet.monitor.stop();
  });

  test('a reload keeps verdict and schedule of what is equal, whatever its check is called now', async () => {
    const fleet = new Fleet();
    fleet.answers.set('10.0.0.1', 'refused');
    const targets = addresses(3).map((address) => target(address));
    fleet.monitor.setTargets(targets);
    await fleet.settle();
    const tries = fleet.tries.get('10.0.0.2:80')!.length;
    fleet.monitor.setTargets(addresses(3).map((address) => target(address, { name: 'renamed' })));
    expect(fleet.verdicts()).toBe('up down up');
    await fleet.clock.advance(50);
    expect(fleet.tries.get('10.0.0.2:80')!.length).toBeLessThanOrEqual(tries + 1);
    fleet.monitor.stop();
  });

  test('a changed check starts over at once, a new target with an equal probe takes its verdict over', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([target('10.0.0.1')]);
    await fleet.settle();
    fleet.monitor.setTargets([
      target('10.0.0.1'),
      target('10.0.0.1', {}, { pool: 'q' }),
      target('10.0.0.1', { fall: 1 }, { pool: 'r' }),
    ]);
    expect(fleet.verdicts()).toBe('up up unknown');
    await fleet.clock.advance(10);
    expect(fleet.verdicts()).toBe('up up up');
    fleet.monitor.stop();
  });

  test('a target whose check was changed keeps its verdict until the first probe of the new one decides', async () => {
    const fleet = new Fleet();
    fleet.answers.set('10.0.0.1', 'refused');
    fleet.monitor.setTargets([target('10.0.0.1')]);
    await fleet.settle();
    fleet.monitor.setTargets([target('10.0.0.1', { fall: 2 })]);
    expect(fleet.verdicts()).toBe('down');
    fleet.answers.set('10.0.0.1', 'ok');
    await fleet.clock.advance(10);
    expect(fleet.verdicts()).toBe('up');
    fleet.monitor.stop();
  });

  test('a target that went and came back is not told by what was saved before', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([target('10.0.0.1')]);
    await fleet.settle();
    fleet.monitor.setTargets([]);
    fleet.monitor.setTargets([target('10.0.0.1')]);
    expect(fleet.verdicts()).toBe('unknown');
    fleet.monitor.stop();
  });

  test('probes of removed targets stop at once, also the one under way', async () => {
    const fleet = new Fleet();
    fleet.answers.set('10.0.0.1', 'silent');
    fleet.monitor.setTargets([target('10.0.0.1'), target('10.0.0.2')]);
    await fleet.clock.advance(100);
    fleet.monitor.setTargets([target('10.0.0.2')]);
    expect(fleet.aborted).toBe(1);
    expect(fleet.monitor.health('net.cat/p/10.0.0.1')).toBeUndefined();
    const events = fleet.events.length;
    await fleet.settle();
    expect(fleet.tries.get('10.0.0.1:80')).toHaveLength(1);
    expect(fleet.events.slice(events).filter((event) => event.target?.endsWith('.1'))).toEqual([]);
    fleet.monitor.stop();
  });

  test('a probe that fails for want of a descriptor here changes no verdict', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([target('10.0.0.1')]);
    await fleet.settle();
    fleet.answers.set('10.0.0.1', 'starved');
    await fleet.clock.advance(100_000);
    expect(fleet.verdicts()).toBe('up');
    expect(fleet.logged.some((line) => line.event === 'health-probe-starved')).toBe(true);
    fleet.monitor.stop();
  });

  test('keeps the latencies of the last hundred probes', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([target('10.0.0.1', { intervalMs: 1_000 })]);
    await fleet.clock.advance(60_000);
    fleet.tookMs = 7;
    await fleet.clock.advance(60_000);
    const { latencies } = fleet.monitor.health('net.cat/p/10.0.0.1')!;
    expect(latencies).toHaveLength(100);
    expect(latencies[0]).toBe(5);
    expect(latencies.at(-1)).toBe(7);
    fleet.monitor.stop();
  });

  test('a target that flips all the time is held down, and said so', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([target('10.0.0.1', { intervalMs: 1_000, fall: 1, rise: 1 })]);
    for (let i = 0; i < 40; i++) {
      fleet.answers.set('10.0.0.1', i % 2 === 0 ? 'ok' : 'refused');
      await fleet.clock.advance(2_000);
    }
    fleet.answers.set('10.0.0.1', 'ok');
    await fleet.clock.advance(60_000);
    expect(fleet.monitor.health('net.cat/p/10.0.0.1')).toMatchObject({ verdict: 'down', flapping: true });
    expect(fleet.events.filter((event) => event.kind === 'flapping')).toHaveLength(1);
    await fleet.clock.advance(600_000);
    expect(fleet.monitor.health('net.cat/p/10.0.0.1')).toMatchObject({ verdict: 'up', flapping: false });
    expect(fleet.events.filter((event) => event.kind === 'steady')).toHaveLength(1);
    fleet.monitor.stop();
  });
});

describe('combined checks', () => {
  const combined = (atLeast: number, ...ports: number[]) =>
    check({ kind: 'combined', atLeast, of: ports.map((port) => check(tcpCheck(port), { name: `port${port}` })) });
  const spec = (pool: string, one: ReturnType<typeof check>) => ({ ...target('10.0.0.1', {}, { pool }), check: one });

  test('all, any and at-least follow the verdicts of their parts', async () => {
    const fleet = new Fleet();
    fleet.answers.set('10.0.0.1:2', 'refused');
    fleet.monitor.setTargets([
      spec('all', combined(3, 1, 2, 3)),
      spec('any', combined(1, 1, 2, 3)),
      spec('two', combined(2, 1, 2, 3)),
    ]);
    await fleet.clock.advance(10);
    expect(fleet.verdicts()).toBe('down up up');
    fleet.answers.set('10.0.0.1:3', 'refused');
    await fleet.settle();
    expect(fleet.verdicts()).toBe('down up down');
    expect(fleet.monitor.health('net.cat/two/10.0.0.1')!.lastProbe).toMatchObject({
      ok: false,
      reason: '1 of 3 ok: port1: ok; port2: connection refused; port3: connection refused',
    });
    fleet.monitor.stop();
  });

  test('share their parts with each other and with plain checks', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([spec('all', combined(2, 80, 81)), target('10.0.0.1')]);
    await fleet.settle();
    expect(fleet.tries.get('10.0.0.1:80')!.length).toBeLessThanOrEqual(5);
    fleet.monitor.stop();
  });

  test('each part keeps its own rhythm and thresholds', async () => {
    const fleet = new Fleet();
    const quick = check(tcpCheck(81), { name: 'quick', intervalMs: 1_000, fall: 1 });
    const slow = check(tcpCheck(80), { name: 'slow', intervalMs: 20_000 });
    fleet.monitor.setTargets([
      spec('all', check({ kind: 'combined', atLeast: 2, of: [quick, slow] }, { intervalMs: 20_000 })),
    ]);
    await fleet.clock.advance(40_000);
    expect(fleet.tries.get('10.0.0.1:81')!.length).toBeGreaterThan(38);
    expect(fleet.tries.get('10.0.0.1:80')!.length).toBeLessThanOrEqual(4);
    fleet.answers.set('10.0.0.1:81', 'refused');
    await fleet.clock.advance(1_010);
    expect(fleet.verdicts()).toBe('down');
    fleet.monitor.stop();
  });

  test('the time to a flip is that of as many parts as it takes', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets([spec('all', combined(2, 80, 81)), spec('any', combined(1, 80, 81))]);
    await fleet.settle();
    fleet.answers.set('10.0.0.1:81', 'refused');
    while (fleet.monitor.health('net.cat/all/10.0.0.1')!.secondsToFlip === 30) await fleet.clock.advance(100);
    expect(fleet.monitor.health('net.cat/all/10.0.0.1')!.secondsToFlip).toBe(20);
    expect(fleet.monitor.health('net.cat/any/10.0.0.1')!.secondsToFlip).toBe(30);
    fleet.monitor.stop();
  });

  test('are unknown only while their parts leave it open', async () => {
    const fleet = new Fleet();
    fleet.answers.set('10.0.0.1:80', 'silent');
    fleet.answers.set('10.0.0.1:82', 'refused');
    fleet.monitor.setTargets([
      spec('all', combined(2, 80, 82)),
      spec('any', combined(1, 80, 81)),
      spec('open', combined(1, 80, 82)),
    ]);
    await fleet.clock.advance(100);
    expect(fleet.verdicts()).toBe('down up unknown');
    fleet.monitor.stop();
  });
});

describe('names', () => {
  test('are resolved and probed at their addresses; one good address is enough', async () => {
    const fleet = new Fleet({ lookup: async (name) => (name === 'lb.example.net' ? ['10.0.0.7', '10.0.0.8'] : []) });
    fleet.answers.set('10.0.0.7', 'refused');
    fleet.monitor.setTargets([target('lb.example.net.')]);
    await fleet.settle();
    expect(fleet.verdicts()).toBe('up');
    fleet.answers.set('10.0.0.8', 'refused');
    await fleet.settle();
    expect(fleet.verdicts()).toBe('down');
    fleet.monitor.stop();
  });

  test('whose first address is silent are good by the second, within the timeout', async () => {
    const fleet = new Fleet({ lookup: async () => ['10.0.0.7', '10.0.0.8'] });
    fleet.answers.set('10.0.0.7', 'silent');
    fleet.monitor.setTargets([target('lb.example.net.')]);
    await fleet.clock.advance(1_000);
    expect(fleet.verdicts()).toBe('up');
    fleet.monitor.stop();
  });

  test('that do not resolve are down', async () => {
    const fleet = new Fleet({
      lookup: () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })),
    });
    fleet.monitor.setTargets([target('lb.example.net.')]);
    await fleet.clock.advance(10);
    expect(fleet.monitor.health('net.cat/p/lb.example.net.')).toMatchObject({
      verdict: 'down',
      lastProbe: { reason: 'name does not resolve' },
    });
    fleet.monitor.stop();
  });

  test('change no verdict when they cannot be looked up or tried for want of something here', async () => {
    let code: string | null = null;
    const fleet = new Fleet({
      lookup: () =>
        code === null
          ? Promise.resolve(['10.0.0.7', '10.0.0.8'])
          : Promise.reject(Object.assign(new Error(code), { code })),
    });
    fleet.monitor.setTargets([target('lb.example.net.')]);
    await fleet.settle();
    expect(fleet.verdicts()).toBe('up');
    code = 'EMFILE';
    await fleet.clock.advance(120_000);
    expect(fleet.verdicts()).toBe('up');
    code = null;
    fleet.answers.set('10.0.0.7', 'starved').set('10.0.0.8', 'starved');
    await fleet.clock.advance(120_000);
    expect(fleet.verdicts()).toBe('up');
    // One that a backend is to blame for counts.
    fleet.answers.set('10.0.0.7', 'refused');
    await fleet.clock.advance(120_000);
    expect(fleet.verdicts()).toBe('down');
    await fleet.monitor.stop();
  });

  test('are looked up no longer when all stops', async () => {
    let given: AbortSignal | undefined;
    const fleet = new Fleet({
      lookup: (_name, signal) => {
        given = signal;
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cancelled'))));
      },
    });
    fleet.monitor.setTargets([target('lb.example.net.')]);
    await fleet.clock.advance(10);
    expect(given?.aborted).toBe(false);
    await fleet.monitor.stop();
    expect(given?.aborted).toBe(true);
  });

  test('a resolver that hangs costs no more than the timeout, and one in trouble is bridged by the last addresses', async () => {
    let mode: 'fine' | 'trouble' | 'hangs' = 'hangs';
    const fleet = new Fleet({
      lookup: () =>
        mode === 'hangs'
          ? new Promise(() => {})
          : mode === 'fine'
            ? Promise.resolve(['10.0.0.7'])
            : Promise.reject(Object.assign(new Error('again'), { code: 'EAI_AGAIN' })),
    });
    fleet.monitor.setTargets([target('lb.example.net.', { rise: 1 })]);
    await fleet.clock.advance(2_010);
    expect(fleet.monitor.health('net.cat/p/lb.example.net.')!.lastProbe).toMatchObject({
      ok: false,
      reason: 'timeout: name not resolved',
    });
    fleet.monitor.stop();
    mode = 'fine';
    const second = new Fleet({
      lookup: () =>
        mode === 'fine'
          ? Promise.resolve(['10.0.0.7'])
          : Promise.reject(Object.assign(new Error('again'), { code: 'EAI_AGAIN' })),
    });
    second.monitor.setTargets([target('lb.example.net.')]);
    await second.settle();
    mode = 'trouble';
    await second.clock.advance(100_000);
    expect(second.verdicts()).toBe('up');
    second.monitor.stop();
  });
});
