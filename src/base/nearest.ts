// The known word that somebody probably meant: for "did you mean".
import { limits } from './limits.ts';

/**
 * The candidate with the fewest single-letter slips from `word` (a letter more, less, other, or two swapped; case doesn't count),
 * or undefined when none is near: more than a third of the letters would have to change.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase().slice(0, 64);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = slipsBetween(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Suggestions for the words of one file among a list of names that may be long: each word is looked up once. */
export class Suggestions {
  readonly #names: () => Iterable<string>;
  readonly #found = new Map<string, string | undefined>();

  /** @param names gives the names; called at the first look-up of each word */
  constructor(names: () => Iterable<string>) {
    this.#names = names;
  }

  /** As `nearest`. */
  nearest(word: string): string | undefined {
    if (this.#found.has(word) || this.#found.size >= limits.suggestionWords) return this.#found.get(word);
    const candidates: string[] = [];
    for (const name of this.#names()) if (candidates.push(name) >= limits.suggestionNames) break;
    const found = nearest(word, candidates);
    this.#found.set(word, found);
    return found;
  }
}

/** Damerau-Levenshtein distance (optimal string alignment). */
function slipsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, beforeLast[j - 2]! + 1);
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
