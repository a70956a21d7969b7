import { describe, expect, test } from 'vitest';
import { Hold } from '../../dist/health/hold.js';
import { FakeClock } from '../support/clock.ts';
import { addresses, Fleet, target } from '../support/fleet.ts';

const DAY_MS = 86_400_000;

function kill(fleet: Fleet, list: readonly string[]): void {
  for (const address of list) fleet.answers.set(address, 'silent');
}

async function fleetOf(count: number, options = {}): Promise<Fleet> {
  const fleet = new Fleet(options);
  fleet.monitor.setTargets(addresses(count).map((address) => target(address)));
  await fleet.settle();
  expect(fleet.count('up')).toBe(count);
  return fleet;
}

describe('the blackout guard', () => {
  test('holds the verdicts when everything falls at once, loudly, and lets go after the hold', async () => {
    const fleet = await fleetOf(20);
    kill(fleet, addresses(20));
    await fleet.clock.advance(20_000);
    expect(fleet.monitor.blackout()).not.toBeNull();
    expect(fleet.count('up')).toBe(20);
    expect(fleet.logged.filter((line) => line.event === 'health-blackout')).toHaveLength(1);
    expect(fleet.events.filter((event) => event.kind === 'blackout')).toHaveLength(1);
    await fleet.clock.advance(60_000);
    expect(fleet.monitor.blackout()).toBeNull();
    expect(fleet.count('down')).toBe(20);
    await fleet.clock.advance(120_000);
    expect(fleet.count('down')).toBe(20);
    expect(fleet.events.filter((event) => event.kind === 'blackout')).toHaveLength(1);
    fleet.monitor.stop();
  });

  test('what came back during the hold never was down', async () => {
    const fleet = await fleetOf(20);
    kill(fleet, addresses(20));
    await fleet.clock.advance(20_000);
    fleet.answers.clear();
    await fleet.clock.advance(100_000);
    expect(fleet.count('up')).toBe(20);
    fleet.monitor.stop();
  });

  test('small fleets are never held up', async () => {
    const fleet = await fleetOf(9);
    kill(fleet, addresses(9));
    await fleet.clock.advance(20_000);
    expect(fleet.monitor.blackout()).toBeNull();
    expect(fleet.count('down')).toBe(9);
    fleet.monitor.stop();
  });

  test('counts addresses, not targets', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets(
      addresses(5).flatMap((address) => [1, 2, 3].map((port) => target(address, {}, { pool: `p${port}`, port }))),
    );
    await fleet.settle();
    kill(fleet, addresses(5));
    await fleet.clock.advance(20_000);
    expect(fleet.count('down')).toBe(15);
    fleet.monitor.stop();
  });

  test('one probe that succeeds is enough to believe the rest', async () => {
    const fleet = await fleetOf(20);
    kill(fleet, addresses(20).slice(1));
    await fleet.clock.advance(40_000);
    expect(fleet.monitor.blackout()).toBeNull();
    expect(fleet.count('down')).toBe(19);
    fleet.monitor.stop();
  });

  test('less than 90% newly down is no blackout', async () => {
    const fleet = new Fleet();
    kill(fleet, addresses(20).slice(17));
    fleet.monitor.setTargets(addresses(20).map((address) => target(address)));
    await fleet.settle();
    expect(fleet.count('down')).toBe(3);
    kill(fleet, addresses(20));
    await fleet.clock.advance(20_000);
    expect(fleet.monitor.blackout()).toBeNull();
    expect(fleet.count('down')).toBe(20);
    fleet.monitor.stop();
  });

  test('falls that are further apart than an interval are no blackout', async () => {
    const fleet = new Fleet();
    fleet.monitor.setTargets(addresses(10).map((address, i) => target(address, { fall: i < 5 ? 3 : 20 })));
    await fleet.settle();
    kill(fleet, addresses(10));
    await fleet.clock.advance(20_000);
    expect(fleet.count('down')).toBe(5);
    await fleet.clock.advance(60_000);
    expect(fleet.monitor.blackout()).toBeNull();
    expect(fleet.count('down')).toBe(10);
    fleet.monitor.stop();
  });

  test('a first verdict is no fall', async () => {
    const fleet = new Fleet();
    kill(fleet, addresses(20));
    fleet.monitor.setTargets(addresses(20).map((address) => target(address)));
    await fleet.settle();
    expect(fleet.count('down')).toBe(20);
    fleet.monitor.stop();
  });
});

describe('a freeze by hand', () => {
  test('lets verdicts stand still until its time is over, then tells what the probes say', async () => {
    const fleet = await fleetOf(3);
    fleet.monitor.freeze(fleet.clock.nowMs() + 100_000, 'works', 'ops');
    expect(fleet.monitor.frozen()).toMatchObject({ reason: 'works', by: 'ops' });
    kill(fleet, ['10.0.0.0']);
    await fleet.clock.advance(50_000);
    expect(fleet.verdicts()).toBe('up up up');
    await fleet.clock.advance(50_100);
    expect(fleet.monitor.frozen()).toBeNull();
    expect(fleet.verdicts()).toBe('down up up');
    expect(fleet.events.map((event) => event.kind).slice(-3)).toEqual(['freeze', 'thaw', 'flip']);
    fleet.monitor.stop();
  });

  test.each([
    ['of a week', 7],
    // Timers end after 24.8 days, and one of them is looked at again after 12.4.
    ['of three weeks', 21],
    ['of half a year', 180],
  ])('%s ends at its time, not before', async (_what, days) => {
    const clock = new FakeClock();
    const ended: string[] = [];
    const hold = new Hold({ clock, ended: (what) => ended.push(what) });
    hold.freeze({ untilMs: clock.nowMs() + days * DAY_MS, reason: 'works', by: 'ops' });
    await clock.advance(days * DAY_MS - 1);
    expect([hold.active, ended]).toEqual([true, []]);
    await clock.advance(1);
    expect([hold.active, ended]).toEqual([false, ['freeze']]);
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['back', -3_600_000],
    ['forward', 3_600_000],
  ])('is neither prolonged nor shortened by a clock that is set %s', async (_way, byMs) => {
    const clock = new FakeClock();
    const ended: string[] = [];
    const hold = new Hold({ clock, ended: (what) => ended.push(what) });
    hold.freeze({ untilMs: clock.nowMs() + 30 * DAY_MS, reason: 'works', by: 'ops' });
    hold.start(10, clock.nowMs() + 60_000);
    await clock.advance(30_000);
    clock.setWall(byMs);
    expect(hold.blackout?.untilMs).toBe(clock.nowMs() + 30_000);
    await clock.advance(30_000);
    expect(ended).toEqual(['blackout']);
    await clock.advance(30 * DAY_MS - 60_001);
    expect(hold.frozen?.untilMs).toBe(clock.nowMs() + 1);
    await clock.advance(1);
    expect(ended).toEqual(['blackout', 'freeze']);
  });

  test('can be lifted, and is for ever when no end is told', async () => {
    const fleet = await fleetOf(2);
    fleet.monitor.freeze(null, 'works', 'ops');
    kill(fleet, ['10.0.0.0']);
    await fleet.clock.advance(10_000_000);
    expect(fleet.verdicts()).toBe('up up');
    fleet.monitor.thaw('ops');
    expect(fleet.verdicts()).toBe('down up');
    fleet.monitor.stop();
  });

  test('a new target may come up in it, but not go down', async () => {
    const fleet = await fleetOf(1);
    fleet.monitor.freeze(null, 'works', 'ops');
    kill(fleet, ['10.0.0.2']);
    fleet.monitor.setTargets([target('10.0.0.0'), target('10.0.0.1'), target('10.0.0.2')]);
    const round = fleet.monitor.firstRound();
    await fleet.clock.advance(3_000);
    await round;
    expect(fleet.verdicts()).toBe('up up unknown');
    fleet.monitor.thaw('ops');
    expect(fleet.verdicts()).toBe('up up down');
    fleet.monitor.stop();
  });
});
