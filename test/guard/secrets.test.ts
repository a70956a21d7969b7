// The cookie secret file: read, made, and what is wrong with it.
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadCookieSecrets, newCookieSecret, parseCookieSecrets } from '../../dist/guard/secrets.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cookie-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const random = (octets: number): Uint8Array => new Uint8Array(octets).fill(0xab);
const NEW = 'ab'.repeat(16);
const toHex = (secrets: readonly Uint8Array[]): string[] => secrets.map((s) => Buffer.from(s).toString('hex'));

describe('a new secret', () => {
  it('comes with the text of a file that holds it', () => {
    const { secret, text } = newCookieSecret(random);
    expect(toHex([secret])).toEqual([NEW]);
    expect(parseCookieSecrets('f', text)).toMatchObject({ secrets: [secret], diagnostics: [] });
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
    writeFileSync(file, `${NEW}\n`, { mode: 0o644 });
    const { secrets, diagnostics } = loadCookieSecrets(file, null);
    expect(toHex(secrets)).toEqual([NEW]);
    expect(diagnostics).toMatchObject([{ code: 'cookie-secret-exposed', severity: 'warning' }]);
  });

  it('takes others their rights to a file of its own', () => {
    const file = join(folder, 'cookie.key');
    writeFileSync(file, `${NEW}\n`, { mode: 0o644 });
    expect(loadCookieSecrets(file, 0o600).diagnostics).toEqual([]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('tells a missing file from what is none', () => {
    expect(loadCookieSecrets(join(folder, 'none'), null)).toEqual({ secrets: [], missing: true, diagnostics: [] });
    mkdirSync(join(folder, 'folder'));
    expect(loadCookieSecrets(join(folder, 'folder'), null)).toMatchObject({
      missing: false,
      diagnostics: [{ code: 'unreadable-file', severity: 'error' }],
    });
  });
});
