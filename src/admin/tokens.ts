// The tokens file: who may use the admin, one `name role sha256` a line, and how a token is made.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { limits } from '../base/limits.ts';
import { readTextHere } from '../base/read-file.ts';
import { isMissing, writeStable } from '../base/stable-file.ts';

/** What a token allows, least first: look; force, freeze and reload; everything. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** One line of the file. The token itself is nowhere: who reads the file can't use the admin. */
export interface TokenEntry {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token, 32 bytes. A token has 256 random bits: a slow hash would add nothing. */
  readonly digest: Buffer;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const LINE = /^(\S+)\s+(\S+)\s+([0-9a-f]{64})$/;

/** A tokens file that can't be read or written as asked; the message is one line for people. */
export class TokensError extends Error {}

/** Reads the text of a tokens file. Throws TokensError with the line that is wrong: a guess here would open a door. */
export function parseTokens(file: string, text: string): TokenEntry[] {
  const entries: TokenEntry[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    const role = ROLES.find((known) => known === match?.[2]);
    if (match === null || role === undefined) {
      throw new TokensError(`${file}:${i + 1}: not "NAME ROLE SHA256": make lines with "meridian token add NAME ROLE"`);
    }
    entries.push({ name: match[1]!, role, digest: Buffer.from(match[3]!, 'hex') });
  }
  return entries;
}

/** Reads a tokens file; undefined when there is none. Throws TokensError for one that is wrong or can't be read. */
export function readTokens(file: string): TokenEntry[] | undefined {
  let text: string;
  try {
    text = readTextHere(file, limits.tokensFileBytes);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new TokensError(`cannot read the tokens file ${file}: ${(error as Error).message}`);
  }
  return parseTokens(file, text);
}

/** A token of 256 random bits; the first letters tell scanners of leaked secrets what it is. */
export function newToken(): string {
  return `mrd_${randomBytes(32).toString('base64url')}`;
}

/** SHA-256 of a token, as the file keeps it. */
export function tokenDigest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/**
 * Makes a token, adds it to the file (made with its folder when missing, readable by its owner alone) and returns it: the only
 * time that anybody sees it. Throws TokensError for a bad name or role, and for a name that is taken.
 */
export function addToken(file: string, name: string, role: string): string {
  if (!NAME.test(name)) {
    throw new TokensError(`"${name}" is no name for a token: use letters, digits, ., _, @ and -, at most 64`);
  }
  if (!ROLES.some((known) => known === role))
    throw new TokensError(`there is no role "${role}": use ${ROLES.join(', ')}`);
  const entries = readTokens(file);
  if (entries?.some((entry) => entry.name === name)) {
    throw new TokensError(`${file} has a token named "${name}": remove its line first, or choose another name`);
  }
  const token = newToken();
  const before =
    entries === undefined ? '# name role sha256(token)\n' : readFileSync(file, 'utf8').replace(/([^\n])$/, '$1\n');
  const line = `${name} ${role} ${tokenDigest(token).toString('hex')}\n`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    // Added by root for a server that runs as somebody else: the file belongs to who owned it, or owns the folder.
    const { uid, gid } = statSync(entries === undefined ? dirname(file) : file);
    writeStable(file, before + line, { mode: 0o600, ...(process.getuid?.() === 0 ? { owner: { uid, gid } } : {}) });
  } catch (error) {
    throw new TokensError(`cannot write the tokens file ${file}: ${(error as Error).message}`);
  }
  return token;
}
