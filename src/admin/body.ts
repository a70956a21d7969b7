// Reads what a request asks for: force and freeze bodies, and query parameters, each mistake with a way out.
import { parseDurationMs } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { nearest } from '../base/nearest.ts';
import type { HandState } from '../control/views.ts';
import { Problem } from './problem.ts';

const STATES = ['up', 'down', 'drain'] as const;

/** `{state, for, reason}`; `forMs` null is forever. Throws Problem 400. */
export function readForce(body: unknown): { state: HandState; forMs: number | null; reason: string } {
  const fields = readObject(body, ['state', 'for', 'reason']);
  const state = STATES.find((known) => known === fields.state);
  if (state === undefined) throw new Problem('bad-body', `"state" must be one of ${STATES.join(', ')}`);
  const forMs = readFor(fields.for);
  if (forMs === 0) throw new Problem('bad-body', '"for" must be longer than 0; DELETE lifts what is forced');
  return { state, forMs, reason: readReason(fields.reason) };
}

/** `{for, reason}`; `forMs` 0 lifts a freeze, null is until it is lifted. Throws Problem 400. */
export function readFreeze(body: unknown): { forMs: number | null; reason: string } {
  const fields = readObject(body, ['for', 'reason']);
  return { forMs: readFor(fields.for), reason: readReason(fields.reason) };
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

function readObject(body: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Problem('bad-body', `send a JSON object with ${known.map((key) => `"${key}"`).join(', ')}`);
  }
  for (const key of Object.keys(body)) {
    if (!known.includes(key)) throw new Problem('bad-body', unknown('key', key, known));
  }
  return body as Record<string, unknown>;
}

function unknown(what: string, word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return `there is no ${what} "${word.slice(0, 64)}"${meant === undefined ? `; known: ${known.join(', ')}` : `; did you mean "${meant}"?`}`;
}

function readFor(value: unknown): number | null {
  if (value === 'forever') return null;
  const ms = typeof value === 'string' || typeof value === 'number' ? parseDurationMs(String(value)) : undefined;
  if (ms === undefined)
    throw new Problem('bad-body', '"for" must be a duration such as "30m", "1h" or "1d", or "forever"');
  if (ms > limits.forceMs) throw new Problem('bad-body', '"for" is longer than a year: say "forever"');
  return ms;
}

function readReason(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new Problem('bad-body', '"reason" must say why, for those who find it later');
  }
  if (value.length > limits.reasonLength) {
    throw new Problem('bad-body', `"reason" is longer than ${limits.reasonLength} characters`);
  }
  return value.trim();
}
