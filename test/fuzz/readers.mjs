// Gives answers to parsers that others wrote: dnspython, and ldns by way of drill.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DNSPYTHON = fileURLToPath(new URL('../support/dnspython-messages.py', import.meta.url));

/**
 * @param {readonly Buffer[]} messages
 * @returns {string[] | null} what dnspython has against them; null: it is not installed
 */
export function readByDnspython(messages) {
  if (spawnSync('/usr/bin/python3', ['-c', 'import dns.message']).status !== 0) return null;
  const input = messages.map((bytes) => bytes.toString('hex')).join('\n');
  const { stdout, stderr } = spawnSync('/usr/bin/python3', [DNSPYTHON], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return (stdout + stderr).split('\n').filter((line) => line !== '');
}

/**
 * One process for each: give it hundreds, not thousands.
 * @param {readonly Buffer[]} messages
 * @returns {string[] | null} what ldns has against them; null: drill is not installed
 */
export function readByLdns(messages) {
  if (spawnSync('drill', ['-v']).error) return null;
  const directory = mkdtempSync(join(tmpdir(), 'ldns-'));
  const file = join(directory, 'message');
  const wrong = [];
  for (const bytes of messages) {
    const hex = bytes.toString('hex');
    writeFileSync(file, hex);
    const { stdout, stderr, status } = spawnSync('drill', ['-i', file], { encoding: 'utf8' });
    if (status !== 0 || stderr !== '' || !stdout.includes('->>HEADER<<-')) wrong.push(`${stderr.trim()}: ${hex}`);
  }
  rmSync(directory, { recursive: true });
  return wrong;
}
