// The cookie secrets of a run: what the settings name must be right, what lies at the default path is no reason not to serve.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CookieFile } from '../../dist/control/cookie-file.js';
import { TestStorage } from '../support/storage.ts';

let folder = '';
let file = '';
let storage: TestStorage;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meridian-cookie-'));
  file = join(folder, 'state', 'cookie.key');
  mkdirSync(join(folder, 'state'));
  storage = new TestStorage();
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (given: boolean): CookieFile =>
  new CookieFile({ settings: { secretFile: file, secretFileGiven: given }, storage, log: storage.log });
const hex = (secrets: readonly Uint8Array[] | null): string[] | null =>
  secrets?.map((secret) => Buffer.from(secret).toString('hex')) ?? null;
const ONE = '00112233445566778899aabbccddeeff';
const TWO = 'ffeeddccbbaa99887766554433221100';

describe('the cookie file', () => {
  it.each([true, false])(
    'is made at the first start, named by the settings (%s) or not, and read at the next',
    async (given) => {
      const cookies = open(given);
      const secrets = hex(cookies.first());
      await cookies.stop();
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(hex(open(given).first())).toEqual(secrets);
    },
  );

  it.each([
    ['empty', ''],
    ['cut off', ONE.slice(0, 20)],
    ['garbage', '\0\u0001'],
  ])('that is %s costs a secret of this run at the default path, loudly, and is left as it is', async (_what, text) => {
    writeFileSync(file, text);
    const cookies = open(false);
    const [first] = hex(cookies.first())!;
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(storage.damages).toContain('cookies end with this run');
    expect(storage.logged.some((line) => line.event === 'cookie-secrets' && line.level === 50)).toBe(true);
    await cookies.stop();
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(await cookies.again()).toBeNull();
    writeFileSync(file, `${TWO}\n`);
    expect(hex(await cookies.again())).toEqual([TWO]);
    expect(storage.damaged).toEqual([]);
  });

  it('that the settings name and that is bad keeps the server from starting', () => {
    writeFileSync(file, '');
    expect(() => open(true).first()).toThrow(/no cookie secret/);
    rmSync(file);
    mkdirSync(file);
    expect(() => open(true).first()).toThrow(/cannot be read/);
    expect(open(false).first()).toHaveLength(1);
  });

  it('that goes while the server runs changes nothing, and is there again', async () => {
    writeFileSync(file, `${ONE}\n`);
    const cookies = open(false);
    expect(hex(cookies.first())).toEqual([ONE]);
    rmSync(join(folder, 'state'), { recursive: true });
    expect(await cookies.again()).toBeNull();
    storage.start();
    await (storage.clock as unknown as { advance(ms: number): Promise<void> }).advance(5_000);
    await expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true);
    await cookies.stop();
    storage.stop();
    expect(readFileSync(file, 'utf8')).toBe(`${ONE}\n`);
  });
});
