// The cookie secret file: read, made, and what is wrong with it.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCookieSecrets, parseCookieSecrets } from '../../dist/guard/secrets.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cookie-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const random = (octets: number): Uint8Array => new Uint8Array(octets).fill(0xab);
const NEW = 'ab'.repeat(16);
const toHex = (secrets: readonly Uint8Array[]): string[] => secrets.map((s) => Buffer.from(s).toString('hex'));

describe('the first start', () => {
  it('makes the file and its folders, readable for the owner alone, and nothing else', () => {
    const file = join(folder, 'state', 'deep', 'cookie.key');
    const made = loadCookieSecrets(file, random);
    expect(made).toMatchObject({ created: true, diagnostics: [] });
    expect(toHex(made.secrets)).toEqual([NEW]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'state', 'deep'))).toEqual(['cookie.key']);
  });

  it('is followed by starts that read the same secret', () => {
    const file = join(folder, 'cookie.key');
    const made = loadCookieSecrets(file, random);
    const read = loadCookieSecrets(file, () => new Uint8Array(16));
    expect(read).toEqual({ ...made, created: false });
    expect(readFileSync(file, 'utf8')).toContain(NEW);
  });

  it('says so when something stands in the way of the file, and has no secret then', () => {
    writeFileSync(join(folder, 'state'), 'a file where a folder should be');
    const { secrets, created, diagnostics } = loadCookieSecrets(join(folder, 'state', 'cookie.key'), random);
    expect(created).toBe(false);
    expect(toHex(secrets)).toEqual([]);
    expect(diagnostics.map((d) => d.code)).toEqual(['unreadable-file']);
  });

  it('keeps the new secret for the run when only writing fails', () => {
    // A link that leads nowhere: nothing is there to read, and nothing can be written, for root neither.
    symlinkSync(join(folder, 'nowhere'), join(folder, 'state'));
    const { secrets, diagnostics } = loadCookieSecrets(join(folder, 'state', 'cookie.key'), random);
    expect(toHex(secrets)).toEqual([NEW]);
    expect(diagnostics).toMatchObject([{ code: 'cookie-secret-not-stored', severity: 'warning' }]);
    expect(existsSync(join(folder, 'state', 'cookie.key'))).toBe(false);
  });
});

describe('reading', () => {
  it('takes every line, comments and blank lines aside, in their order', () => {
    const text = `\ufeff# ours\r\n${'0F'.repeat(16)}   # new\r\n\r\n  ${'e1'.repeat(16)}\n`;
    const { secrets, diagnostics } = parseCookieSecrets('f', text);
    expect(toHex(secrets)).toEqual(['0f'.repeat(16), 'e1'.repeat(16)]);
    expect(diagnostics).toEqual([]);
  });

  it('reports every bad line with its place, without telling what stands there', () => {
    const text = `# x\n${'ab'.repeat(15)}\n${NEW}\n  zz${'ab'.repeat(15)}\n`;
    const { secrets, diagnostics } = parseCookieSecrets('f.key', text);
    expect(toHex(secrets)).toEqual([NEW]);
    expect(diagnostics.map((d) => [d.code, d.file, d.line, d.col])).toEqual([
      ['bad-cookie-secret', 'f.key', 2, 1],
      ['bad-cookie-secret', 'f.key', 4, 3],
    ]);
    for (const d of diagnostics) expect(JSON.stringify(d)).not.toContain('abab');
  });

  it('reports a file without any secret, and one with too many', () => {
    expect(parseCookieSecrets('f', '# nothing\n').diagnostics).toMatchObject([{ code: 'bad-cookie-secret', line: 1 }]);
    const many = parseCookieSecrets('f', `${NEW}\n`.repeat(10));
    expect(many.secrets).toHaveLength(8);
    expect(many.diagnostics.map((d) => d.line)).toEqual([9, 10]);
  });

  it('warns when every user may read it', () => {
    const file = join(folder, 'cookie.key');
    loadCookieSecrets(file, random);
    chmodSync(file, 0o644);
    const { secrets, diagnostics } = loadCookieSecrets(file, random);
    expect(toHex(secrets)).toEqual([NEW]);
    expect(diagnostics).toMatchObject([{ code: 'cookie-secret-exposed', severity: 'warning' }]);
  });
});
