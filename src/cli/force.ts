// `meridian force`, `drain` and `unforce`: what an operator forces of a target or a whole pool.

import type { DrainView, TargetView } from '../api/views.ts';
import { parseAddress } from '../base/address.ts';
import { zoneStem } from '../wire/zone-name.ts';
import { openClient } from './client.ts';
import { EXIT, Failure } from './exit.ts';
import type { ServerOptions } from './options.ts';
import { print } from './output.ts';
import { formatSeconds, paint } from './table.ts';

export interface ForceOptions extends ServerOptions {
  readonly state: string;
  readonly for: string;
  readonly reason: string;
}

interface ForceReply {
  readonly target?: TargetView;
  readonly targets?: readonly TargetView[];
  readonly emptied?: readonly string[];
  readonly stored?: boolean;
}

export async function force(target: string, options: ForceOptions): Promise<void> {
  const { state, reason } = options;
  if (!['up', 'down', 'drain'].includes(state)) {
    throw new Failure(EXIT.usage, `--state: "${state}" is none of up, down, drain`);
  }
  const reply = await openClient(options).ask<ForceReply>('PUT', pathOf(target), { state, for: options.for, reason });
  printTargets(reply);
}

export async function unforce(target: string, options: ServerOptions): Promise<void> {
  printTargets(await openClient(options).ask<ForceReply>('DELETE', pathOf(target)));
}

/** The admin's path of `ZONE/POOL` or `ZONE/POOL/ADDRESS`. */
function pathOf(target: string): string {
  // A zone's name may have a slash in it (RFC 2317), pools and addresses have none: they are read from the end.
  const parts = target.split('/');
  const last = parts.at(-1) ?? '';
  const address =
    parts.length > 2 && (parseAddress(last) !== undefined || last.endsWith('.')) ? parts.pop() : undefined;
  const pool = parts.pop();
  const zone = parts.join('/');
  if (!zone || !pool) {
    throw new Failure(
      EXIT.usage,
      `"${target}" is neither ZONE/POOL nor ZONE/POOL/ADDRESS; "meridian status" lists them`,
    );
  }
  if (address !== undefined) return `/api/v1/targets/${encodeURIComponent(target)}/force`;
  // "." would vanish from the path as a step to nowhere: the root's file is root.yaml, and so is its name here.
  return `/api/v1/pools/${encodeURIComponent(zoneStem(zone))}/${encodeURIComponent(pool)}/force`;
}

/** When it may be switched off, and why not yet. */
export function drainText({ safe, safeAt, secondsLeft, lastAnswer, answersSince }: DrainView): string {
  const since = answersSince === 0 ? '' : `, ${answersSince} answer${answersSince === 1 ? '' : 's'} since`;
  if (safe) return `safe to switch off${since}`;
  const last = lastAnswer === null ? '' : `; last answer ${lastAnswer.slice(11, 19)}Z`;
  return `safe to switch off in ${formatSeconds(secondsLeft)} (at ${safeAt?.slice(11, 19)}Z${last})${since}`;
}

function printTargets({ target, targets, emptied, stored }: ForceReply): void {
  for (const { id, state, forced, drain } of targets ?? (target === undefined ? [] : [target])) {
    const told =
      forced === null ? `left to its probes: ${state}` : `forced ${forced.state} until ${forced.until ?? 'lifted'}`;
    print(`${id}: ${told}${drain === null ? '' : `; ${drainText(drain)}`}\n`);
  }
  for (const set of emptied ?? []) {
    print(`${paint({ text: '!', colour: 'red' })} ${set} has no member left: it answers without data\n`);
  }
  if (stored === false) {
    const text = 'holds, but could not be stored (yet): a restart would lose it; "meridian status" says why';
    process.stdout.write(`${paint({ text: '!', colour: 'red' })} ${text}\n`);
  }
}
