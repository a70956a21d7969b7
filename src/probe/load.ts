// How busy a backend says it is: a number in a header or in a JSON body.
import { limits } from '../base/limits.ts';
import type { HttpCheck } from '../zone/model.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The load that a response tells, 0 and up (1 is full); null when it tells none: header or value missing, not a number, negative.
 * `headers` has lower-case names; `body` is what was read of the response.
 */
export function loadOf(
  where: NonNullable<HttpCheck['load']>,
  headers: Record<string, string | string[] | undefined>,
  body: Buffer,
): number | null {
  if (where.kind === 'header') {
    const value = headers[where.name.toLowerCase()];
    return numberOf(Array.isArray(value) ? value[0] : value);
  }
  try {
    if (isDeep(body)) return null;
    return numberOf(pointed(JSON.parse(body.toString('utf8')), where.pointer));
  } catch {
    return null;
  }
}

/** Whether JSON is nested deeper than anybody means. */
function isDeep(body: Buffer): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < body.length; i++) {
    const octet = body[i];
    if (octet === QUOTE) quoted = !quoted;
    else if (quoted) i += octet === BACKSLASH ? 1 : 0;
    // Brackets and braces.
    else if (octet === 0x5b || octet === 0x7b) depth++;
    else if (octet === 0x5d || octet === 0x7d) depth--;
    if (depth > limits.probeJsonDepth) return true;
  }
  return false;
}

function numberOf(value: unknown): number | null {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(value)
        ? Number(value)
        : Number.NaN;
  return Number.isFinite(number) && number >= 0 ? number : null;
}

/** RFC 6901: `/a/0/b~1c`; the empty pointer is the whole document. */
function pointed(document: unknown, pointer: string): unknown {
  let at = document;
  for (const token of pointer.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null) return undefined;
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    at = Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined;
  }
  return at;
}
