import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/subdivisions.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'meridian-names-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, content: unknown): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
}

/** Small packages of the shape that npm's have. */
const list = [
  ['ES-MD', 'Madrid, Comunidad de', 'ES'],
  ['ES-M', 'Madrid', 'ES-MD'],
  ['GB-ENG', 'England', 'GB'],
  ['GB-LND', 'London, City of', 'GB'],
  ['IR-01', 'Gīlān', 'IR'],
  ['DK-015', 'København', 'DK'],
  ['FR-PF', 'Polynésie française', 'FR'],
  ['BG-22', 'Sofia (stolitsa)', 'BG'],
  ['BG-23', 'Sofia', 'BG'],
].map(([code, name, parent]) => ({ code, name, parent }));
write('packages/iso-3166/2.js', `export const iso31662 = ${JSON.stringify(list)};`);
write('packages/iso-3166/package.json', { type: 'module' });
write('packages/cldr-subdivisions-full/subdivisions/en/en.json', {
  subdivisions: {
    localeDisplayNames: {
      subdivisions: { esmd: 'Madrid Autonomous Community', gblnd: 'London', ir01: 'East Azerbaijan', civb: 'Vallée²' },
    },
  },
});
write('packages/cldr-core/supplemental/subdivisionContainment.json', {
  supplemental: { subdivisionContainment: { GB: { _contains: ['gbeng'] }, gbeng: { _contains: ['gblnd'] } } },
});

function run(names: string): string[] {
  write('names.txt', names);
  const to = join(folder, 'out.txt');
  const args = ['--packages', join(folder, 'packages'), '--names', join(folder, 'names.txt'), '--to', to];
  execFileSync(process.execPath, [script, ...args]);
  return readFileSync(to, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replaceAll('\t', ';'));
}

describe('the script that makes the list of subdivisions', () => {
  it('joins codes, levels and names of its packages, without what is withdrawn, renumbered or a country of its own', () => {
    expect(run('')).toEqual([
      'BG-22;;Sofia (stolitsa)|Sofia',
      'BG-23;;Sofia',
      'ES-M;ES-MD;Madrid',
      'ES-MD;;Madrid Autonomous Community|Madrid, Comunidad de|Madrid|Comunidad de Madrid',
      'GB-ENG;;England',
      'GB-LND;GB-ENG;London|London, City of|City of London',
      'IR-01;;Gīlān',
    ]);
  });

  it('adds the names that real files write, takes them from others of the rank, and knows new codes', () => {
    const lines = run('BG-23 Sofia | Sofia Oblast # the one around it\nIR-31 North Khorasan\nES-B < ES-CT Barcelona\n');
    expect(lines).toContain('BG-22;;Sofia (stolitsa)');
    expect(lines).toContain('BG-23;;Sofia|Sofia Oblast');
    expect(lines).toContain('IR-31;;North Khorasan');
    expect(lines).toContain('ES-B;ES-CT;Barcelona');
    expect(run('! ES-MD Madrid')).toContain(
      'ES-MD;;Madrid Autonomous Community|Madrid, Comunidad de|Comunidad de Madrid',
    );
  });

  it('stops at a line that it does not understand', () => {
    write('bad.txt', 'Vienna AT-9\n');
    const args = [
      script,
      '--packages',
      join(folder, 'packages'),
      '--names',
      join(folder, 'bad.txt'),
      '--to',
      join(folder, 'x'),
    ];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, expect.stringContaining('"Vienna AT-9" is no code with names')]);
  });
});
