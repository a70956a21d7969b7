// The scripts in findings/ are told of in its README, and each says what was guessed and what was seen.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const folder = new URL('../findings/', import.meta.url);
const scripts = readdirSync(folder).filter((name) => name.endsWith('.sh'));
const textOf = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const readme = textOf('README.md');

describe('findings/', () => {
  it('are listed in their README by title and versions, and nothing else is', () => {
    const listed = [...readme.matchAll(/^\| \[[^\]]+\]\((\S+\.sh)\) \| (.*) \| (.*) \|$/gm)].map((m) => m.slice(1, 4));
    const actual = scripts.map((name) => {
      const text = textOf(name);
      return [name, text.split('\n')[1]!.slice(2), /^# Seen: (.*?)\.?$/m.exec(text)?.[1]];
    });
    expect(listed.sort()).toEqual(actual.sort());
  });

  it.each(scripts)('%s can be run, and says guess, outcome, reason and versions', (name) => {
    const text = textOf(name);
    for (const part of ['Guess', 'What happens', 'Why it matters', 'Seen'])
      expect(text).toMatch(new RegExp(`^# ${part}: \\S`, 'm'));
    expect(text).toMatch(/^#!\/usr\/bin\/env bash\n# \S.*[^.]\n/);
    expect(text).toContain('set -euo pipefail');
    expect(text).toContain('changed ');
    expect(statSync(new URL(name, folder)).mode & 0o111).not.toBe(0);
  });
});
