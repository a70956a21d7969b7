// The record of events: bounded, numbered, on disk line by line, whatever lies there and however the disk is.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { EventLog } from '../../dist/health/events.js';
import { FakeClock } from '../support/clock.ts';
import { TestStorage, until } from '../support/storage.ts';

const schema = z.object({ what: z.number() });
type What = z.infer<typeof schema>;

let folder = '';
let file = '';
let storage: TestStorage;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-events-'));
  file = join(folder, 'state', 'events.jsonl');
  mkdirSync(join(folder, 'state'));
  storage = new TestStorage();
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(capacity = 100): EventLog<What> {
  const events = new EventLog<What>({ kept: { file, storage }, schema, capacity });
  events.load();
  return events;
}
const read = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
const whats = (events: EventLog<What>): number[] => events.list().map((event) => event.what);

describe('the event log', () => {
  test('numbers events, keeps the last ones, and finds those after a number', () => {
    const events = new EventLog<What>({ kept: null, schema, capacity: 10 });
    for (let what = 1; what <= 35; what++) events.add({ what });
    expect(whats(events)).toEqual([26, 27, 28, 29, 30, 31, 32, 33, 34, 35]);
    expect(events.list(33).map((event) => event.seq)).toEqual([34, 35]);
    expect(events.list(0, 3).map((event) => event.seq)).toEqual([33, 34, 35]);
  });

  test('tells listeners until they leave', () => {
    const events = new EventLog<What>({ kept: null, schema });
    const heard: number[] = [];
    const leave = events.subscribe((event) => heard.push(event.what));
    events.add({ what: 1 });
    leave();
    events.add({ what: 2 });
    expect(heard).toEqual([1]);
  });

  test('outlives a crash: a torn last line is skipped, numbers go on', async () => {
    const first = open();
    for (let what = 1; what <= 5; what++) first.add({ what });
    await first.close();
    truncateSync(file, readFileSync(file).length - 3);
    const second = open();
    expect(whats(second)).toEqual([1, 2, 3, 4]);
    expect(storage.damages).toContain('1 lines');
    second.add({ what: 6 });
    await second.close();
    expect(whats(open())).toEqual([1, 2, 3, 4, 6]);
  });

  test('its file stays bounded', async () => {
    const events = open(10);
    for (let round = 0; round < 50; round++) {
      for (let what = 0; what < 20; what++) events.add({ what });
      await until(() => read().endsWith(`"seq":${(round + 1) * 20}}\n`));
      expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThanOrEqual(21);
    }
    await events.close();
  });

  test('a line that is no event costs itself, and no number is used again', async () => {
    const lines = [
      '{"seq":7}',
      '{"what":1,"seq":8}',
      '{"seq":9,"what":"later"}',
      'garbage',
      '{"what":2,"seq":-1}',
      '[]',
      'null',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const events = open();
    expect(whats(events)).toEqual([1]);
    expect(events.add({ what: 3 }).seq).toBe(10);
    await events.close();
    const text = readFileSync(file, 'utf8');
    // Of another version: kept as they stand. Of none: dropped.
    expect(text).toContain('{"seq":7}');
    expect(text).toContain('{"seq":9,"what":"later"}');
    expect(text).not.toContain('garbage');
    expect(whats(open())).toEqual([1, 3]);
  });

  test('a number at the end of all numbers is not taken for one', () => {
    writeFileSync(file, `{"what":1,"seq":${Number.MAX_SAFE_INTEGER}}\n{"what":2,"seq":3}\n`);
    expect(open().add({ what: 3 }).seq).toBe(4);
  });

  test('a folder in its place is moved aside', async () => {
    mkdirSync(file);
    const events = open();
    events.add({ what: 1 });
    await events.close();
    expect(existsSync(`${file}.damaged`)).toBe(true);
    expect(whats(open())).toEqual([1]);
  });

  test('keeps all in memory while the disk takes nothing, and stores it and the news of it when it does', async () => {
    const clock = new FakeClock();
    storage = new TestStorage(clock);
    rmSync(join(folder, 'state'), { recursive: true });
    writeFileSync(join(folder, 'state'), '');
    const events = open();
    const kinds: string[] = [];
    storage.onEvent = (kind) => {
      kinds.push(kind);
      events.add({ what: kind === 'state-unsaved' ? 100 : 200 });
    };
    storage.start();
    events.add({ what: 1 });
    await until(() => kinds.length === 1);
    events.add({ what: 2 });
    await clock.advance(60_000);
    expect(kinds).toEqual(['state-unsaved']);
    rmSync(join(folder, 'state'));
    await until(async () => {
      await clock.advance(5_000);
      return kinds.length === 2;
    });
    await events.close();
    storage.stop();
    expect(whats(open())).toEqual([1, 100, 2, 200]);
  });

  test('a file that somebody removed is written anew with all that is known', async () => {
    const events = open();
    events.add({ what: 1 });
    await until(() => read().endsWith('\n'));
    await events.store();
    rmSync(file);
    events.add({ what: 2 });
    await events.close();
    expect(whats(open())).toEqual([1, 2]);
  });
});
