// The parts of a combined check as they are probed.
import type { Check, CombinedCheck } from '../zone/model.ts';

/** What a check has when nothing else is written. */
const DEFAULTS = { intervalMs: 10_000, timeoutMs: 2_000, fall: 3, rise: 2, fastRecheck: true } as const;

/**
 * The parts of `check`. Each is a check of its own, with its own times and verdict; what is written at the combination (differs from
 * the default) replaces the same in its parts.
 */
export function partsOf(check: Check, combined: CombinedCheck): readonly Check[] {
  const written = Object.fromEntries(
    (Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[])
      .filter((key) => check[key] !== DEFAULTS[key])
      .map((key) => [key, check[key]]),
  ) as Partial<Check>;
  return combined.of.map((part) => ({ ...part, ...written }));
}
