import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Entry, NEVER, storeHistory } from '../../dist/geoupdate/history.js';
import type { UpdateReply } from '../../dist/geoupdate/run-update.js';
import { dueAtMs, UpdateSchedule } from '../../dist/geoupdate/schedule.js';
import type { UpdateJob, UpdateResult } from '../../dist/geoupdate/update.js';
import { FakeClock, flush } from '../support/clock.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = 1_700_000_000_000;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'geoupdate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const failed = (failures: number, more: Partial<Entry> = {}): Entry => ({
  ...NEVER,
  triedAtMs: START,
  failures,
  error: 'down',
  ...more,
});

describe('when a database is due', () => {
  it('is at once for one that was never fetched, and the interval after the last good try', () => {
    expect(dueAtMs(NEVER, DAY)).toBe(0);
    expect(dueAtMs({ ...NEVER, triedAtMs: START, goodAtMs: START }, 7 * DAY)).toBe(START + 7 * DAY);
  });

  it('is later with every failure, up to a day, never later than the interval', () => {
    const waits = [1, 2, 3, 7, 8, 1_000].map((failures) => dueAtMs(failed(failures), 7 * DAY) - START);
    expect(waits).toEqual([15 * MINUTE, 30 * MINUTE, HOUR, 16 * HOUR, DAY, DAY]);
    expect(dueAtMs(failed(8), HOUR)).toBe(START + HOUR);
  });

  it('is not before the time that the publisher asked for', () => {
    expect(dueAtMs(failed(1, { notBeforeMs: START + 5 * HOUR }), DAY)).toBe(START + 5 * HOUR);
  });
});

/** A schedule whose runs a test settles. */
class Story {
  readonly clock = new FakeClock(START);
  readonly told: string[] = [];
  readonly signals: AbortSignal[] = [];
  readonly historyFile = join(folder, 'geoip-update.json');
  #settle: (reply: UpdateReply) => void = () => {};
  readonly schedule = new UpdateSchedule({
    clock: this.clock,
    random: () => 0.5,
    run: (_job, signal) => {
      this.signals.push(signal);
      return new Promise((resolve) => {
        this.#settle = resolve;
      });
    },
    onResult: ({ outcome }) => this.told.push(outcome),
    onError: (message) => this.told.push(message),
  });

  job(everyMs: number | null, maxChange = 0.2): UpdateJob {
    const settings = {
      source: 'rir' as const,
      url: null,
      account: null,
      licenceKeyFile: null,
      editions: [],
      caFile: null,
      baseUrl: null,
      everyMs,
      maxChange,
    };
    return { settings, directory: folder, historyFile: this.historyFile, force: false, version: '1' };
  }

  async answer(outcome: UpdateResult['outcome']): Promise<void> {
    const triedAtMs = this.clock.nowMs();
    const good = outcome === 'installed' || outcome === 'unchanged';
    const entry = good ? { ...NEVER, triedAtMs, goodAtMs: triedAtMs } : { ...failed(1), triedAtMs };
    await this.reply({
      results: [{ file: 'rir-country.mmdb', outcome, message: '', share: null, builtAt: null, entry }],
    });
  }

  async reply(reply: UpdateReply): Promise<void> {
    this.#settle(reply);
    await flush();
  }
}

describe('the schedule', () => {
  it('fetches at once where nothing ever was, then after each interval, spread out a little', async () => {
    const story = new Story();
    story.schedule.set(story.job(7 * DAY));
    await story.clock.advance(0);
    expect(story.signals.length).toBe(1);
    await story.answer('installed');
    // Half of an hour's jitter.
    await story.clock.advance(7 * DAY + 29 * MINUTE);
    expect(story.signals.length).toBe(1);
    await story.clock.advance(2 * MINUTE);
    expect(story.signals.length).toBe(2);
    expect(story.told).toEqual(['installed']);
  });

  it('does not fetch again because the server was started again', async () => {
    const story = new Story();
    await storeHistory(story.historyFile, {
      'rir-country.mmdb': { ...NEVER, triedAtMs: START - HOUR, goodAtMs: START - HOUR },
    });
    story.schedule.set(story.job(DAY));
    await story.clock.advance(22 * HOUR);
    expect(story.signals.length).toBe(0);
    expect(story.schedule.states()).toMatchObject([
      { file: 'rir-country.mmdb', nextAtMs: START + 23 * HOUR + 30 * MINUTE },
    ]);
    await story.clock.advance(2 * HOUR);
    expect(story.signals.length).toBe(1);
  });

  it('counts what a command has done meanwhile', async () => {
    const story = new Story();
    await storeHistory(story.historyFile, { 'rir-country.mmdb': { ...NEVER, triedAtMs: START, goodAtMs: START } });
    story.schedule.set(story.job(DAY));
    await story.clock.advance(23 * HOUR);
    const nowMs = story.clock.nowMs();
    await storeHistory(story.historyFile, { 'rir-country.mmdb': { ...NEVER, triedAtMs: nowMs, goodAtMs: nowMs } });
    await story.clock.advance(23 * HOUR);
    expect(story.signals.length).toBe(0);
  });

  it('waits longer after each failure, also where no history can be kept', async () => {
    const story = new Story();
    story.schedule.set(story.job(7 * DAY));
    await story.clock.advance(0);
    await story.answer('failed');
    await story.clock.advance(46 * MINUTE);
    expect(story.signals.length).toBe(2);
    await story.reply({ error: 'no licence key' });
    expect(story.told).toEqual(['failed', 'no licence key']);
    expect(story.schedule.states()).toMatchObject([{ entry: { failures: 2, error: 'no licence key' } }]);
    await story.clock.advance(59 * MINUTE);
    expect(story.signals.length).toBe(2);
    await story.clock.advance(2 * MINUTE);
    expect(story.signals.length).toBe(3);
  });

  it('does nothing by itself where it only shall by command, and tells what it knows all the same', async () => {
    const story = new Story();
    await storeHistory(story.historyFile, { 'rir-country.mmdb': failed(3) });
    story.schedule.set(story.job(null));
    await story.clock.advance(30 * DAY);
    expect(story.signals.length).toBe(0);
    expect(story.schedule.states()).toMatchObject([{ nextAtMs: null, entry: { failures: 3, error: 'down' } }]);
  });

  it('ends what runs when the settings change or the server stops, and tells nothing of it', async () => {
    const story = new Story();
    story.schedule.set(story.job(DAY));
    await story.clock.advance(0);
    story.schedule.set(story.job(DAY));
    expect(story.signals[0]!.aborted).toBe(false);
    story.schedule.set(story.job(DAY, 0.5));
    expect(story.signals[0]!.aborted).toBe(true);
    await story.reply({ error: 'killed' });
    await story.clock.advance(0);
    expect(story.signals.length).toBe(2);
    story.schedule.stop();
    await story.reply({ error: 'killed' });
    await story.clock.advance(DAY);
    expect(story.clock.pending).toBe(0);
    expect(story.told).toEqual([]);
  });
});
