// Maps in state files: what one entry is worth doesn't hang on the others, and what this version can't read stays as it stands.
import type { z } from 'zod';

export interface Entries<E> {
  readonly known: Map<string, E>;
  /** Entries that don't fit the schema, of a newer version for instance: to be written back. */
  readonly unknown: Map<string, unknown>;
}

/** Sorts the entries of a value that should be a JSON object. Throws when it is none. */
export function sortEntries<E>(value: unknown, schema: z.ZodType<E>): Entries<E> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no JSON object');
  const known = new Map<string, E>();
  const unknown = new Map<string, unknown>();
  for (const [key, entry] of Object.entries(value)) {
    const read = schema.safeParse(entry);
    if (read.success) known.set(key, read.data);
    else unknown.set(key, entry);
  }
  return { known, unknown };
}

/** The entries as one JSON object again; those that are known come last and win. */
export function joinEntries<E>(
  known: Iterable<readonly [string, E]>,
  unknown: Iterable<readonly [string, unknown]>,
): object {
  // Object.fromEntries makes properties of its own, whatever they are called (`__proto__`).
  return Object.fromEntries<unknown>([...unknown, ...known]);
}

/** As JSON.parse; of the text of an object that is cut off or damaged, the members before the damage. Throws where there is none. */
export function parseDamaged(text: string): { value: unknown; whole: boolean } {
  try {
    return { value: JSON.parse(text), whole: true };
  } catch (error) {
    const members = membersOf(text);
    if (members.length === 0) throw error;
    return { value: Object.fromEntries(members), whole: false };
  }
}

/** The members of the outermost object, up to the first that can't be read. */
function membersOf(text: string): [string, unknown][] {
  const members: [string, unknown][] = [];
  if (!/^\s*\{/.test(text)) return members;
  for (let at = text.indexOf('{') + 1; at < text.length; ) {
    const end = endOfMember(text, at);
    if (end < 0) break;
    try {
      members.push(...(Object.entries(JSON.parse(`{${text.slice(at, end)}}`)) as [string, unknown][]));
    } catch {
      break;
    }
    at = end + 1;
  }
  return members;
}

/** Where the comma or brace after a member is; -1: the text ends before. */
function endOfMember(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at);
      if (at < 0) return -1;
    } else if (char === '{' || char === '[') depth++;
    else if (depth > 0 && (char === '}' || char === ']')) depth--;
    else if (depth === 0 && (char === ',' || char === '}')) return at;
  }
  return -1;
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  return -1;
}

/** Names of entries for a message: the first few. */
export function nameFew(names: Iterable<string>): string {
  const all = [...names];
  const shown = all.slice(0, NAMED).map((name) => (name.length <= 100 ? name : `${name.slice(0, 100)}...`));
  return all.length <= NAMED ? shown.join(', ') : `${shown.join(', ')} and ${all.length - NAMED} more`;
}

const NAMED = 5;
