// Reads what a request asks for: force and freeze bodies, and query parameters, each mistake with a way out.
import { z } from 'zod';
import { parseDurationMs } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { nearest } from '../base/nearest.ts';
import { Problem } from './problem.ts';

const STATES = ['up', 'down', 'drain'] as const;

/** Milliseconds; null is forever. */
const duration = z.unknown().transform((value, context): number | null => {
  if (value === 'forever') return null;
  const ms = typeof value === 'string' || typeof value === 'number' ? parseDurationMs(String(value)) : undefined;
  if (ms !== undefined && ms <= limits.forceMs) return ms;
  const message =
    ms === undefined
      ? '"for" must be a duration such as "30m", "1h" or "1d", or "forever"'
      : '"for" is longer than a year: say "forever"';
  context.issues.push({ code: 'custom', message, input: value });
  return z.NEVER;
});

const reason = z
  .string({ error: '"reason" must say why, for those who find it later' })
  .trim()
  .min(1, '"reason" must say why, for those who find it later')
  .max(limits.reasonLength, `"reason" is longer than ${limits.reasonLength} characters`);

const force = z.strictObject({
  state: z.enum(STATES, { error: `"state" must be one of ${STATES.join(', ')}` }),
  for: duration.refine((ms) => ms !== 0, '"for" must be longer than 0; DELETE lifts what is forced'),
  reason,
});

const freeze = z.strictObject({ for: duration, reason });

/** `{state, for, reason}`; `forMs` null is forever. Throws Problem 400 with every mistake. */
export function readForce(body: unknown): { state: (typeof STATES)[number]; forMs: number | null; reason: string } {
  const read = readBody(force, body);
  return { state: read.state, forMs: read.for, reason: read.reason };
}

/** `{for, reason}`; `forMs` 0 lifts a freeze, null is until it is lifted. Throws Problem 400 with every mistake. */
export function readFreeze(body: unknown): { forMs: number | null; reason: string } {
  const read = readBody(freeze, body);
  return { forMs: read.for, reason: read.reason };
}

/** The wanted query parameters as text. Throws Problem 400 for unknown and repeated ones: ignoring `clinet=` would mislead. */
export function readQuery<K extends string>(query: unknown, known: readonly K[]): Partial<Record<K, string>> {
  const read: Partial<Record<K, string>> = {};
  for (const [key, value] of Object.entries(query as Record<string, unknown>)) {
    const name = known.find((candidate) => candidate === key);
    if (name === undefined) throw new Problem('unknown-parameter', unknown('parameter', key, known));
    if (typeof value !== 'string') throw new Problem('bad-request', `the parameter "${key}" stands there twice`);
    // An empty parameter is a form's way to say nothing.
    if (value !== '') read[name] = value;
  }
  return read;
}

function readBody<T extends z.ZodRawShape>(schema: z.ZodObject<T>, body: unknown): z.output<z.ZodObject<T>> {
  const known = Object.keys(schema.shape);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem('bad-body', `send a JSON object with ${known.map((key) => `"${key}"`).join(', ')}`);
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const mistakes = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => unknown('key', key, known)) : [issue.message],
  );
  throw new Problem('bad-body', mistakes.slice(0, 10).join('; '));
}

function unknown(what: string, word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  const hint = meant === undefined ? `known: ${known.join(', ')}` : `did you mean "${meant}"?`;
  return `there is no ${what} "${word.slice(0, 64)}"; ${hint}`;
}
