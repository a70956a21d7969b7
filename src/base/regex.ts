// Regular expressions over what strangers send: RE2's syntax, read by re2js, run piece by piece with a bound on the work.
//
// re2js' own search is linear in the text, but where the text makes its automaton grow with each character it takes 3 to 7 us for each,
// a third of a second for 64 KiB. Here the same automaton is driven a character at a time, so that the work of growing it is counted
// and a text that comes in pieces isn't looked at again from its start.
import { RE2JS } from 're2js';
import { limits } from './limits.ts';

/** Code point that stands for the end of the text, and the search that may begin anywhere, as re2js' automaton has them. */
const END = -1;
const ANYWHERE = 0;
/** Zero-width assertions that hold at the start of a text: begin of a line (1) and of the text (4). */
const AT_START = { context: () => 1 | 4 };
/** What a step costs that the automaton hasn't taken before, beside each instruction that it stands at: some 30 ns. */
const NEW_STEP = 60;

type Automaton = RE2JS['re2Input']['dfa'];
/** A state of the automaton: where it goes by class of characters, and whether the text so far has a match. */
interface Place {
  readonly next: readonly (Place | null)[] | null;
  readonly isMatch: boolean;
  readonly nfaStates: readonly number[];
}

/** What a search knows: `more` text may still bring a match; `too much work`: it has grown beyond its bound and is over. */
export type Found = 'match' | 'more' | 'too much work';

/** A compiled expression. Its automaton grows with what is searched and is kept for the next search. */
export class Regex {
  readonly #automaton: Automaton;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
  }

  /** A search from the start of a text. `budget`: units of work, as in limits.regexWork. */
  search(budget: number): RegexSearch {
    return new RegexSearch(this.#automaton, budget);
  }
}

/** One search through a text that may come in pieces. */
class RegexSearch {
  readonly #automaton: Automaton;
  #left: number;
  #place: Place | null = null;
  #found: Found = 'more';

  constructor(automaton: Automaton, budget: number) {
    this.#automaton = automaton;
    this.#left = budget;
  }

  /** Units of work that may still be done. */
  get left(): number {
    return this.#left;
  }

  /** Goes on with the next piece: text, or bytes that each are the character of that number. A match that ends with the piece shows at `end`. */
  push(piece: string | Uint8Array): Found {
    const automaton = this.#automaton;
    // Another search may have emptied the automaton since; its places stay good.
    let place = this.#place ?? (automaton.start(AT_START, 0) as Place);
    for (let i = 0; i < piece.length && this.#found === 'more'; i++) {
      let character: number;
      if (typeof piece === 'string') {
        character = piece.codePointAt(i)!;
        if (character > 0xffff) i++;
      } else character = piece[i]!;
      const known = place.next?.[automaton.runeClass(character)] ?? this.#step(place, character);
      if (known === null) break;
      place = known;
      if (place.isMatch) this.#found = 'match';
    }
    this.#place = place;
    return this.#found;
  }

  /** Whether there is a match if the text ends here; it may go on nevertheless. */
  end(): Found {
    if (this.#found !== 'more') return this.#found;
    const place = this.#place ?? (this.#automaton.start(AT_START, 0) as Place);
    this.#place = place;
    const last = place.next?.[this.#automaton.numClasses] ?? this.#step(place, END);
    if (last === null) return this.#found;
    return last.isMatch ? 'match' : 'more';
  }

  /** A step that hasn't been taken before; null when the work for it is too much. */
  #step(place: Place, character: number): Place | null {
    const automaton = this.#automaton;
    const { numClasses } = automaton;
    this.#left -= NEW_STEP + place.nfaStates.length + (place.next === null ? numClasses >> 2 : 0);
    if (this.#left < 0) {
      this.#found = 'too much work';
      return null;
    }
    const group = character === END ? numClasses : automaton.runeClass(character);
    const next = automaton.step(place, group, character, ANYWHERE) as Place | null;
    if (next !== null) return next;
    // Its memory is used up: it begins anew from here.
    const here = automaton.resetCache(place) as Place | null;
    const after = here === null ? null : (automaton.step(here, group, character, ANYWHERE) as Place | null);
    if (after === null) this.#found = 'too much work';
    return after;
  }
}

/** Reads an expression. `reason` says what is wrong with it, `fix` what to do. Never throws. */
export function readRegex(source: string): Regex | { readonly reason: string; readonly fix: string } {
  const { regexCharacters, regexInstructions, regexRanges, regexMemoryBytes } = limits;
  if (source.length > regexCharacters)
    return {
      reason: `the regular expression has ${source.length} characters, at most ${regexCharacters} are taken`,
      fix: 'make it shorter',
    };
  let compiled: RE2JS;
  try {
    // JavaScript's \u00e9 is the only escape of it that RE2 writes otherwise.
    compiled = RE2JS.compile(
      source.replace(/\\(?:u([0-9A-Fa-f]{4})|[\s\S])/g, (whole, hex?: string) =>
        hex === undefined ? whole : `\\x{${hex}}`,
      ),
    );
  } catch (error) {
    return mistake(source, error instanceof Error ? error.message : String(error));
  }
  const { prog } = compiled.re2Input as {
    readonly prog: { numInst(): number; getInst(at: number): { readonly runes: readonly number[] } };
  };
  const size = prog.numInst();
  let ranges = 0;
  for (let at = 0; at < size; at++) ranges += prog.getInst(at).runes.length;
  if (size > regexInstructions || ranges > regexRanges)
    return {
      reason: 'the regular expression is too large once its repetitions are written out',
      fix: 'repeat less, {1000} say, or look for less',
    };
  const { dfa } = compiled.re2Input;
  dfa.stateBudget = regexMemoryBytes;
  dfa.memBudget = regexMemoryBytes;
  return new Regex(dfa);
}

/** What other engines have and a search in linear time can't. */
const BEYOND: readonly (readonly [form: RegExp, name: string])[] = [
  [/\(\?<?[=!]/, 'lookaheads and lookbehinds'],
  [/\\(?:[1-9]|k<)/, 'back-references'],
  [/\(\?>|[*+?}]\+/, 'atomic groups and possessive repetitions'],
];

function mistake(source: string, message: string): { reason: string; fix: string } {
  const reason = message.replace(/^error parsing regexp: /, '').replaceAll('`', '"');
  if (reason.startsWith('invalid repeat count'))
    return { reason, fix: 'repeat at most 1000 times, repetitions in one another multiplied' };
  const beyond = BEYOND.find(([form]) => form.test(source.replace(/\\[\\(]/g, '')));
  if (beyond === undefined) return { reason, fix: 'correct the regular expression (the syntax of RE2)' };
  return {
    reason: `${reason}: ${beyond[1]} don't exist here`,
    fix: 'write it without them (the syntax of RE2, which takes linear time), or look for a plain text',
  };
}
