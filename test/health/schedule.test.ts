import { describe, expect, test } from 'vitest';
import { type Job, Schedule } from '../../dist/health/schedule.js';
import { FakeClock } from '../support/clock.ts';

/** A seeded source of randomness. */
function random(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A job that takes `tookMs` and notes when it starts. */
class Probe implements Job {
  readonly starts: number[] = [];
  aborted = 0;
  recheck = false;
  down = false;

  constructor(
    readonly clock: FakeClock,
    readonly intervalMs: number,
    readonly tookMs = 5,
  ) {}

  suspect(): boolean {
    return this.down;
  }

  run(controller: AbortController): Promise<boolean> {
    this.starts.push(this.clock.nowMs());
    return new Promise((resolve) => {
      const cancel = this.clock.after(this.tookMs, () => resolve(this.recheck));
      controller.signal.addEventListener('abort', () => {
        this.aborted++;
        cancel();
        resolve(false);
      });
    });
  }
}

function gaps(starts: readonly number[]): number[] {
  return starts.slice(1).map((at, i) => at - starts[i]!);
}

function setUp(count: number, options: { maxConcurrent?: number; intervalMs?: number; tookMs?: number } = {}) {
  const { maxConcurrent = 500, intervalMs = 10_000, tookMs = 5 } = options;
  const clock = new FakeClock();
  const schedule = new Schedule({ clock, random: random(), maxConcurrent });
  const probes = Array.from({ length: count }, () => new Probe(clock, intervalMs, tookMs));
  for (const probe of probes) schedule.add(probe);
  return { clock, schedule, probes, startMs: clock.nowMs() };
}

describe('the schedule', () => {
  test('starts the first round at once', async () => {
    const { clock, probes, startMs } = setUp(100);
    await clock.advance(1);
    expect(probes.every((probe) => probe.starts[0]! - startMs <= 1)).toBe(true);
  });

  test('never runs more at a time than allowed, and starts the next as soon as one ends', async () => {
    const { clock, schedule, probes, startMs } = setUp(100, { maxConcurrent: 10, tookMs: 50 });
    let most = 0;
    for (let ms = 0; ms < 600; ms += 10) {
      await clock.advance(10);
      most = Math.max(most, schedule.stats().running);
    }
    expect(most).toBe(10);
    expect(Math.max(...probes.map((probe) => probe.starts[0]!)) - startMs).toBeLessThanOrEqual(452);
  });

  test('spreads the second round over the interval', async () => {
    const { clock, probes, startMs } = setUp(1000);
    await clock.advance(10_100);
    const seconds = new Array<number>(10).fill(0);
    for (const probe of probes) seconds[Math.min(9, Math.floor((probe.starts[1]! - startMs) / 1000))]!++;
    for (const count of seconds) expect(count).toBeGreaterThan(50);
    for (const count of seconds) expect(count).toBeLessThan(200);
  });

  test('no try is late because the first round takes long', async () => {
    const { clock, schedule, probes } = setUp(1000, { maxConcurrent: 10, tookMs: 40 });
    await clock.advance(30_000);
    expect(schedule.stats().mostLateMs).toBeLessThan(500);
    for (const probe of probes) for (const gap of gaps(probe.starts)) expect(gap).toBeLessThan(10_500);
  });

  test('never lets more than the interval pass between two starts, nor much less', async () => {
    const { clock, probes } = setUp(50);
    await clock.advance(200_000);
    for (const probe of probes) {
      for (const gap of gaps(probe.starts)) expect(gap).toBeLessThanOrEqual(10_001);
      for (const gap of gaps(probe.starts).slice(1)) expect(gap).toBeGreaterThanOrEqual(9_499);
    }
  });

  test('looks again one second after the start of a failure, and then returns to the interval', async () => {
    const { clock, probes } = setUp(1, { tookMs: 400 });
    const probe = probes[0]!;
    await clock.advance(30_000);
    probe.recheck = true;
    const before = probe.starts.length;
    await clock.advance(10_000 + 2_500);
    probe.recheck = false;
    const after = gaps(probe.starts.slice(before));
    expect(after.length).toBeGreaterThanOrEqual(2);
    for (const gap of after) expect(gap).toBe(1000);
  });

  test('looks again at once when the failure took longer than a second', async () => {
    const { clock, probes } = setUp(1, { tookMs: 2_000 });
    probes[0]!.recheck = true;
    await clock.advance(6_001);
    expect(gaps(probes[0]!.starts)).toEqual([2000, 2000, 2000]);
  });

  test('looks again after the interval where that is shorter than a second', async () => {
    const { clock, probes } = setUp(1, { intervalMs: 300 });
    probes[0]!.recheck = true;
    await clock.advance(1_000);
    expect(gaps(probes[0]!.starts)).toEqual([300, 300, 300]);
  });

  test('a slow target never delays another', async () => {
    const { clock, schedule } = setUp(0, { maxConcurrent: 20 });
    const slow = Array.from({ length: 200 }, () => new Probe(clock, 1_000, 2_000));
    for (const probe of slow) probe.down = true;
    const quick = Array.from({ length: 20 }, () => new Probe(clock, 1_000, 5));
    for (const probe of [...slow, ...quick]) schedule.add(probe);
    await clock.advance(30_000);
    for (const probe of quick) {
      for (const gap of gaps(probe.starts)) expect(gap).toBeLessThanOrEqual(1_050);
      expect(probe.starts.length).toBeGreaterThanOrEqual(29);
    }
  });

  test('stops what is removed at once: the try under way and all later ones', async () => {
    const { clock, schedule, probes } = setUp(2, { tookMs: 500 });
    await clock.advance(100);
    schedule.remove(probes[0]!);
    expect(probes[0]!.aborted).toBe(1);
    await clock.advance(60_000);
    expect(probes[0]!.starts).toHaveLength(1);
    expect(probes[1]!.starts.length).toBeGreaterThan(5);
  });

  test('removes in any order without losing the others', async () => {
    const { clock, schedule, probes } = setUp(200);
    await clock.advance(5_000);
    for (let i = 0; i < 200; i += 2) schedule.remove(probes[(i * 7) % 200]!);
    const kept = probes.filter((_, i) => ![...Array(100).keys()].some((k) => (k * 2 * 7) % 200 === i));
    const before = kept.map((probe) => probe.starts.length);
    await clock.advance(10_100);
    expect(kept.every((probe, i) => probe.starts.length > before[i]!)).toBe(true);
    expect(schedule.stats().jobs).toBe(kept.length);
  });

  test('leaves no timer behind when stopped', async () => {
    const { clock, schedule } = setUp(10);
    await clock.advance(5_000);
    schedule.stop();
    await clock.advance(0);
    expect(clock.pending).toBe(0);
  });
});
