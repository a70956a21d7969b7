import { describe, expect, test } from 'vitest';
import { addresses, Fleet, target } from '../support/fleet.ts';

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
