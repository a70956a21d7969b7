// The cookie secrets' file: 128 bits in hexadecimal digits a line; made at the first start (contract, settings).
import { statSync } from 'node:fs';
import { CODES, type Code } from '../base/codes.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { limits } from '../base/limits.ts';
import { readTextHere } from '../base/read-file.ts';
import { isMissing, tighten } from '../base/stable-file.ts';

const SECRET_OCTETS = 16;

export interface CookieSecrets {
  /** 16 bytes each, the first signs; empty where the file has none that can be used. */
  readonly secrets: readonly Uint8Array[];
  /** There is no file. */
  readonly missing: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the secrets. Never throws.
 * @param mode permissions that the file is given when it has more; null: it is somebody else's, and others' rights to it are told
 */
export function loadCookieSecrets(file: string, mode: number | null): CookieSecrets {
  let text: string;
  try {
    text = readTextHere(file, limits.cookieFileBytes);
    if (mode !== null) tighten(file, mode);
  } catch (error) {
    if (isMissing(error)) return { secrets: [], missing: true, diagnostics: [] };
    const fix = 'make it readable for the user that the server runs as';
    const message = `the cookie secrets cannot be read: ${(error as Error).message}`;
    return { secrets: [], missing: false, diagnostics: [diagnose('unreadable-file', file, 1, 1, message, fix)] };
  }
  const { secrets, diagnostics } = parseCookieSecrets(file, text);
  return { secrets, missing: false, diagnostics: [...diagnostics, ...exposure(file)] };
}

/** Reads a secret file's text. Secrets never stand in a diagnostic: its excerpt is left empty. */
export function parseCookieSecrets(file: string, text: string): Omit<CookieSecrets, 'missing'> {
  const secrets: Uint8Array[] = [];
  const diagnostics: Diagnostic[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    const hex = line
      .replace(/^\ufeff/, '')
      .replace(/#.*/, '')
      .trim();
    if (hex === '') return;
    const col = line.indexOf(hex) + 1;
    const wrong = /[^0-9a-fA-F]/.exec(hex);
    if (wrong !== null) {
      const message = `a cookie secret is 32 hexadecimal digits; this line has "${wrong[0]}"`;
      diagnostics.push(diagnose('bad-cookie-secret', file, i + 1, col + wrong.index, message, HOW_TO_MAKE));
    } else if (hex.length !== SECRET_OCTETS * 2) {
      const message = `a cookie secret is 32 hexadecimal digits (128 bits); this line has ${hex.length}`;
      diagnostics.push(diagnose('bad-cookie-secret', file, i + 1, col, message, HOW_TO_MAKE));
    } else if (secrets.length === limits.cookieSecrets) {
      const message = `more than ${limits.cookieSecrets} cookie secrets`;
      diagnostics.push(diagnose('bad-cookie-secret', file, i + 1, col, message, 'remove the oldest, the last ones'));
    } else {
      secrets.push(Uint8Array.from(Buffer.from(hex, 'hex')));
    }
  });
  if (secrets.length === 0 && diagnostics.length === 0) {
    const fix = `${HOW_TO_MAKE}, or remove the file: it is made anew at the next start`;
    diagnostics.push(diagnose('bad-cookie-secret', file, 1, 1, 'the file has no cookie secret', fix));
  }
  return { secrets, diagnostics };
}

const HOW_TO_MAKE = 'write one made by `openssl rand -hex 16`';

/** A file with one new secret. `randomBytes`: a cryptographic source (`crypto.randomBytes`). */
export function newCookieSecret(randomBytes: (octets: number) => Uint8Array): { secret: Uint8Array; text: string } {
  const secret = Uint8Array.from(randomBytes(SECRET_OCTETS));
  const text =
    '# DNS cookie secrets (RFC 9018), the first signs, all are accepted. Servers of one fleet share this file.\n' +
    `# To rotate: put a new line on top, and remove the old one an hour later.\n${Buffer.from(secret).toString('hex')}\n`;
  return { secret, text };
}

/** A warning where others may read the file: who knows the secret can forge cookies and evade every limit. */
function exposure(file: string): Diagnostic[] {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o007) === 0) return [];
  const message = 'every user of this machine may read or write the cookie secrets';
  return [diagnose('cookie-secret-exposed', file, 1, 1, message, `chmod 600 ${file}`)];
}

function diagnose(code: Code, file: string, line: number, col: number, message: string, fix: string): Diagnostic {
  return { code, severity: CODES[code].severity, file, line, col, message, fix, excerpt: '' };
}
