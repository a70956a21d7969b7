// state/ on a disk that is full, read-only, gone or somebody else's: everything goes on, and is stored when that can be done.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskStory, ONE, TWO, zone } from '../support/disk.ts';
import { Meridian } from '../support/meridian.ts';
import { canMount, Mounts } from '../support/mounts.ts';
import { lacking } from '../support/programs.ts';
import { startServer } from '../support/server.ts';
import { admin, got, until } from '../support/story.ts';

const mounts = canMount();
const root = process.getuid?.() === 0 || lacking('root, to run a server as somebody else');

/** Each story starts a server several times. */
const SLOW_MS = 300_000;

let directory = '';
let state = '';
let inside: Mounts | null = null;
let story: DiskStory | null = null;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-disk-'));
  chmodSync(directory, 0o755);
  state = join(directory, 'state');
});
afterEach(async () => {
  await story?.server.kill().catch(() => {});
  inside?.remove();
  story = null;
  inside = null;
  rmSync(directory, { recursive: true, force: true });
});

/** A namespace where state/ is a small disk of its own. */
async function smallDisk(): Promise<Mounts> {
  mkdirSync(state);
  inside = await Mounts.create();
  inside.sh(`mount -t tmpfs -o size=1m,mode=750 tmpfs ${state}`);
  return inside;
}
const fill = (disk: Mounts): string => disk.sh(`dd if=/dev/zero of=${state}/fill bs=1k count=2000 2>/dev/null || true`);

/** Not while something is being written. */
const readOnly = (): string =>
  `for i in $(seq 100); do mount -o remount,ro ${state} 2>/dev/null && exit 0; sleep 0.1; done; exit 1`;

/** A story on a disk that takes nothing: what must hold whatever the reason. */
async function goesOn(on: DiskStory): Promise<void> {
  expect(await on.ready()).toBe(200);
  await on.edit('192.0.2.77');
  expect(await on.force(ONE, 'down', '2s')).toBe(false);
  expect(await on.force(TWO, 'drain', '1h')).toBe(false);
  expect(await on.www()).toBe('NODATA');
  expect(await on.isUnsaved()).toBe(true);
  // It runs out by itself: the end of a forced state must not be the end of the server.
  await until(
    () => on.www(),
    (seen) => seen === '192.0.2.1',
    30_000,
  );
  expect(await on.lift(TWO)).toBe(false);
  expect(await on.www()).toBe('192.0.2.1 192.0.2.2');
  expect(await on.force(TWO, 'down', '1h')).toBe(false);
  expect(await on.www()).toBe('192.0.2.1');
  expect(await on.ready()).toBe(200);
  expect(await on.told()).toContain('state-unsaved');
  expect(on.logged('state-unsaved')).toBe(1);
}

/** Everything is on disk, by itself: a restart after kill -9 knows it. */
async function isStored(on: DiskStory, within: readonly string[] = []): Promise<DiskStory> {
  await on.untilSaved();
  expect((await on.told()).at(-1)).toBe('state-saved');
  await on.server.kill();
  const next = await DiskStory.again(directory, { within });
  expect(await next.www()).toBe('192.0.2.1');
  expect(await got(next.server, 'one.disk.test')).toBe('192.0.2.77');
  expect(await next.told()).toEqual(expect.arrayContaining(['state-unsaved', 'state-saved']));
  return next;
}

describe.skipIf(!mounts)('a full disk', { timeout: SLOW_MS }, () => {
  it('while the server runs stops nothing but storing; what could not be stored is, once there is room', async () => {
    const disk = await smallDisk();
    story = await DiskStory.start(directory, { within: disk.within });
    await story.untilSaved();
    fill(disk);
    await goesOn(story);
    disk.sh(`rm ${state}/fill`);
    story = await isStored(story, disk.within);
    expect(existsSync(disk.path(join(state, 'zones', 'disk.test.zone')))).toBe(true);
  });

  it('at the start is no reason not to answer, and a restart comes up from what is there', async () => {
    const disk = await smallDisk();
    story = await DiskStory.start(directory, { within: disk.within });
    expect(await story.force(TWO, 'down', '1h')).toBe(true);
    await story.untilSaved();
    fill(disk);
    await story.server.kill();
    story = await DiskStory.again(directory, { within: disk.within });
    expect(await story.www()).toBe('192.0.2.1');
    expect(await story.lift(TWO)).toBe(false);
    await goesOn(story);
    // And one that begins with nothing.
    await story.server.kill();
    disk.sh(
      `find ${state} -mindepth 1 ! -name fill -delete; dd if=/dev/zero of=${state}/fill2 bs=1k count=2000 2>/dev/null || true`,
    );
    story = await DiskStory.again(directory, { within: disk.within });
    await story.untilUnsaved();
    await goesOn(story);
    disk.sh(`rm ${state}/fill ${state}/fill2`);
    story = await isStored(story, disk.within);
  });
});

describe.skipIf(!mounts)('a disk that is read-only', { timeout: SLOW_MS }, () => {
  it('at the start and while the server runs stops nothing but storing', async () => {
    const disk = await smallDisk();
    disk.sh(readOnly());
    story = await DiskStory.start(directory, { within: disk.within });
    await story.untilUnsaved();
    await goesOn(story);
    disk.sh(`mount -o remount,rw ${state}`);
    story = await isStored(story, disk.within);
    await story.untilSaved();
    disk.sh(readOnly());
    await story.force(TWO, 'up', '1h');
    expect(await story.isUnsaved()).toBe(true);
    disk.sh(`mount -o remount,rw ${state}`);
    await story.untilSaved();
  });
});

describe('a state folder', { timeout: SLOW_MS }, () => {
  it('that cannot be made is no reason not to answer; it is made when it can be', async () => {
    writeFileSync(state, 'a file where the folder should be');
    story = await DiskStory.start(directory);
    await story.untilUnsaved();
    await goesOn(story);
    rmSync(state);
    story = await isStored(story);
  });

  it('that somebody deletes is there again within seconds, with everything in it', async () => {
    story = await DiskStory.start(directory);
    expect(await story.force(TWO, 'down', '1h')).toBe(true);
    await story.edit('192.0.2.77');
    await until(async () => existsSync(join(state, 'verdicts.json')), Boolean, 30_000);
    const before = readdirSync(state).sort();
    rmSync(state, { recursive: true });
    await until(
      async () => readNames(state).join(),
      (names) => names === before.join(),
      30_000,
    );
    await until(
      async () => readNames(join(state, 'zones')).join(),
      (names) => names === 'disk.test.zone',
      30_000,
    );
    await story.server.kill();
    story = await DiskStory.again(directory);
    expect(await story.www()).toBe('192.0.2.1');
  });

  it.skipIf(!root)("that is another user's is read and not written, and nothing but storing stops", async () => {
    story = await DiskStory.start(directory);
    await story.untilSaved();
    await story.server.kill();
    chmodSync(state, 0o755);
    const within = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    story = await DiskStory.again(directory, { within });
    await story.untilUnsaved();
    await goesOn(story);
    chownAll(state, 65534);
    story = await isStored(story, within);
  });

  it('is for one server: a second one ends and says who uses it', async () => {
    story = await DiskStory.start(directory);
    await expect(startServer({ directory, files: {} })).rejects.toThrow(
      new RegExp(`it ended with 3[\\s\\S]*in use by pid ${story.server.pid}`),
    );
    // A command that only looks, or adds a token, doesn't mind.
    expect(await story.www()).toBe('192.0.2.1 192.0.2.2');
  });

  it('is free at once after a kill, and while the old server still stops the new one waits', async () => {
    story = await DiskStory.start(directory);
    for (let round = 0; round < 4; round++) {
      expect(await story.force(TWO, round % 2 === 0 ? 'down' : 'up', '1h')).toBe(true);
      await story.edit(`192.0.2.${100 + round}`);
      await story.server.kill();
      // As after a kill in the middle of writing.
      writeFileSync(join(state, `hand.json.${story.server.pid}.7.tmp`), '{"half');
      writeFileSync(join(state, 'zones', `disk.test.zone.${story.server.pid}.8.tmp`), 'half');
      story = await DiskStory.again(directory);
      expect(await story.www()).toBe(round % 2 === 0 ? '192.0.2.1' : '192.0.2.1 192.0.2.2');
      expect([...readNames(state), ...readNames(join(state, 'zones'))].filter((name) => name.endsWith('.tmp'))).toEqual(
        [],
      );
    }
    const old = story.server;
    const stopped = old.kill();
    story = await DiskStory.again(directory);
    await stopped;
  });

  it('keeps what is in it from other users, what an older server left too', async () => {
    story = await DiskStory.start(directory);
    await story.force(TWO, 'down', '1h');
    await story.untilSaved();
    await story.server.kill();
    const files = ['hand.json', 'events.jsonl', 'serials.json', 'verdicts.json', 'cookie.key', 'zones/disk.test.zone'];
    for (const file of files) if (existsSync(join(state, file))) chmodSync(join(state, file), 0o666);
    story = await DiskStory.again(directory);
    await until(
      async () => looseFiles(state),
      (loose) => loose.length === 0,
      30_000,
    );
  });
});

describe('a state folder full of damage', { timeout: SLOW_MS }, () => {
  const FILES = [
    'hand.json',
    'serials.json',
    'answered.json',
    'verdicts.json',
    'events.jsonl',
    'overrides.json',
    'geo.json',
    'geo.image',
    'cookie.key',
    'tokens',
    'admin.token',
    'zones/common.yaml',
    'zones/disk.test.zone',
    'lock',
  ];
  const garbage = Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 7919) % 256));

  it.each([
    ['nothing', (file: string) => writeFileSync(file, '')],
    ['a list', (file: string) => writeFileSync(file, '[1, {"seq": 7}]')],
    [
      'a number for everything',
      (file: string) => writeFileSync(file, '{"seq": 7, "format": 1, "targets": 2, "leaves": 3, "zone": 4}\n'),
    ],
    ['bytes of chance', (file: string) => writeFileSync(file, garbage)],
    ['folders', (file: string) => mkdirSync(file)],
  ])('%s in place of each file: DNS answers, forces hold, the admin lets nobody in', async (_what, damage) => {
    mkdirSync(join(state, 'zones'), { recursive: true });
    for (const file of FILES) if (file !== 'tokens') damage(join(state, file));
    story = await DiskStory.start(directory);
    expect(await got(story.server, 'one.disk.test')).toBe('192.0.2.9');
    const { json } = await admin(story.server, 'GET', '/api/v1/status');
    expect((json.problems as { file: string }[]).map(({ file }) => file)).toContain(join(state, 'hand.json'));
    expect((await admin(story.server, 'GET', '/api/v1/events')).status).toBe(200);
    expect(await story.force(TWO, 'down', '1h')).toBe(true);
    expect(await story.www()).toBe('192.0.2.1');
  });

  it.each([
    ['empty', ''],
    ['garbage', garbage],
  ])('tokens that are %s: DNS answers, and the admin lets in who may read state/ alone', async (_what, text) => {
    mkdirSync(state);
    mkdirSync(join(directory, 'zones'));
    writeFileSync(join(state, 'tokens'), text);
    writeFileSync(join(directory, 'zones', 'disk.test.yaml'), zone('192.0.2.9'));
    const config = join(directory, 'meridian.yaml');
    writeFileSync(
      config,
      'version: meridian/v1\nlisten: ["127.0.0.1:0"]\nadmin: { listen: "127.0.0.1:0" }\nworkers: 1\n',
    );
    const running = new Meridian(['serve', '--config', config]);
    try {
      const [, port] = await running.says(/127\.0\.0\.1:(\d+)/);
      const [url] = await running.says(/http:\/\/127\.0\.0\.1:\d+/);
      expect(await got({ host: '127.0.0.1', port: Number(port) }, 'one.disk.test')).toBe('192.0.2.9');
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      expect((await fetch(`${url}/api/v1/status`)).status).toBe(401);
      const token = readFileSync(join(state, 'admin.token'), 'utf8').trim();
      const status = await fetch(`${url}/api/v1/status`, { headers: { authorization: `Bearer ${token}` } });
      expect(JSON.stringify(await status.json())).toContain('nobody gets into the admin');
    } finally {
      expect((await running.stop()).code).toBe(0);
    }
  });
});

function readNames(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

function chownAll(folder: string, uid: number): void {
  chownSync(folder, uid, uid);
  for (const name of readdirSync(folder, { recursive: true })) chownSync(join(folder, String(name)), uid, uid);
}

/** Files that others than owner and group may read. */
function looseFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => statSync(join(folder, name)).isFile() && (statSync(join(folder, name)).mode & 0o007) !== 0);
}
