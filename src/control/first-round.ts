// What comes before the first answer: everything is loaded, and each target has a verdict.
import { StartError } from '../api/start-error.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { HealthClient } from '../health/client.ts';
import type { Serving } from '../loading/serving.ts';
import type { Reloads } from './reloads.ts';
import { mustBeRight } from './strict.ts';

/** Loads for the first time. Throws StartError where the zones folder can't be read, and for any mistake where `strict`. */
export async function firstLoad(parts: { serving: Serving; reloads: Reloads; strict: boolean }): Promise<void> {
  const { serving, reloads, strict } = parts;
  const change = await reloads.load();
  if (change.problem !== null) throw new StartError(change.problem);
  if (strict) mustBeRight(serving);
}

/** Contract, section 6: answers begin when the first round of probes is in, 5 s after its start at most. */
export async function firstRound(parts: {
  health: HealthClient;
  reloads: Reloads;
  clock: Clock;
  log: Logger;
}): Promise<void> {
  const { health, reloads, clock, log } = parts;
  let cancel = (): void => {};
  const late = new Promise<void>((resolve) => {
    const now = clock.monotonicMs();
    const begunMs = reloads.probingSinceMs ?? now;
    cancel = clock.after(Math.max(0, begunMs + limits.firstRoundMs - now), () => {
      log.warn({ event: 'first-round-late' }, 'the first probes are not all in: unknown counts as up');
      resolve();
    });
  });
  await Promise.race([health.firstRound(), late]);
  cancel();
}

/** Somebody froze or thawed the verdicts of the server that is replaced, after the health thread here was started with what was known then. */
export function agreeOnFreeze(health: HealthClient): void {
  const [known, now] = [health.saved()?.freeze ?? null, health.frozen()];
  if (known === null && now !== null) health.thaw(now.by);
  if (known !== null && known.untilMs !== now?.untilMs) health.freeze(known.untilMs, known.reason, known.by);
}
