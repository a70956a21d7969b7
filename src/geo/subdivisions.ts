// Names of subdivisions, as databases without ISO 3166-2 codes write them, to codes: from data/subdivisions.txt, read when first asked.

import { readFileSync } from 'node:fs';
import { limits } from '../base/limits.ts';
import { foldName } from './place.ts';

/** A name may stand for a region and for a part of it (`Madrid`), so all that it may mean are kept. */
interface Meaning {
  readonly code: string;
  /** The code that this one lies in; empty for a country's widest subdivisions. */
  readonly within: string;
}

/** By country and name: `AT vienna`. */
interface Names {
  /** Whole names. */
  readonly whole: ReadonlyMap<string, readonly Meaning[]>;
  /** Names without the words for what kind of subdivision it is. */
  readonly bare: ReadonlyMap<string, readonly Meaning[]>;
  readonly within: ReadonlyMap<string, string>;
  /** By code: its first name. */
  readonly names: ReadonlyMap<string, string>;
}

/** Words for kinds of subdivisions in the languages of the files, folded: `Province of Cebu` and `Cebu` are the same. */
const KINDS: ReadonlySet<string> = new Set(
  (
    'administrative apskritis area atoll autonomous aymag borough borwa canton castle circle commune community comunidad ' +
    'comarca concelho council country county de del departamento departement department department dependency desa di district distrito ' +
    'division do emirate estado federal federative fylke governorate gouvernorat gov il judet kabupaten kommune kraj krai kray ' +
    'kreis la laani lan land maakond maakunta megye muhafazah muhafazat municipality municipalitatea municipal municipio ' +
    'nagarpalika national novads obcina oblast oblasti oblys oblysy obl of okres okrug opstina ostan opcina parish pilseta prefecture ' +
    'provincia province provinces provincial provinsi quarter raion rayon rayonu regency region regional regions regiao rajons republic ' +
    'respublika sahar savivaldybe sheng shi shahri special state stadt svit territorial territory the tinh unitary urban viloyat ' +
    'viloyati voblasc voblast voivodeship vald wilaya wilayah wilayat wojewodztwo zone zupanija zhou'
  ).split(' '),
);

/** Articles of Arabic, Spanish and French in front: files write Al Madinah, Madinah, El Oued, Oued. */
const ARTICLES = /^(?:ad|ag|ah|al|an|ar|as|ash|at|az|el|le|la|les|los|las) /;

let names: Names | null = null;
const answers = new Map<string, string | null>();

function readNames(): Names {
  const whole = new Map<string, Meaning[]>();
  const bare = new Map<string, Meaning[]>();
  const within = new Map<string, string>();
  const first = new Map<string, string>();
  const text = readFileSync(new URL('../../data/subdivisions.txt', import.meta.url), 'utf8');
  for (const line of text.split('\n')) {
    const [code, parent, list] = line.split('\t');
    if (code === undefined || parent === undefined || list === undefined) continue;
    if (parent !== '') within.set(code, parent);
    const meaning = { code, within: parent };
    const all = list.split('|');
    first.set(code, all[0]!);
    for (const name of all) {
      const folded = foldName(name);
      add(whole, `${code.slice(0, 2)} ${folded}`, meaning);
      add(bare, `${code.slice(0, 2)} ${bareName(folded)}`, meaning);
    }
  }
  return { whole, bare, within, names: first };
}

function add(map: Map<string, Meaning[]>, key: string, meaning: Meaning): void {
  const meanings = map.get(key);
  if (meanings === undefined) map.set(key, [meaning]);
  else if (!meanings.includes(meaning)) meanings.push(meaning);
}

/** A folded name without the words for its kind; itself where nothing else is left (`Capital`). */
function bareName(folded: string): string {
  const words = folded.replace(ARTICLES, '').split(' ');
  const rest = words.filter((word) => !KINDS.has(word));
  return rest.length === 0 ? folded : rest.join('');
}

/** The code of those that are not ruled out; null where several remain: no answer is better than a wrong one. */
function only(
  meanings: readonly Meaning[] | undefined,
  allowed: (meaning: Meaning) => boolean,
): string | null | undefined {
  const left = meanings?.filter(allowed) ?? [];
  return left.length === 0 ? undefined : left.length === 1 ? left[0]!.code : null;
}

/**
 * The ISO 3166-2 code of a subdivision by its English or local name; null where the name is not known, or means several.
 * @param within the code of the subdivision around it, where that is known
 */
export function subdivisionByName(country: string, name: string, within: string | null = null): string | null {
  const question = `${within ?? country} ${name}`;
  let code = answers.get(question);
  if (code === undefined) {
    code = findByName(country, foldName(name), within ?? '');
    if (answers.size >= limits.subdivisionAnswers) answers.clear();
    answers.set(question, code);
  }
  return code;
}

function findByName(country: string, folded: string, within: string): string | null {
  names ??= readNames();
  const whole = names.whole.get(`${country} ${folded}`);
  const bare = names.bare.get(`${country} ${bareName(folded)}`);
  // Files write the wide one first, and then a part of it: a bare name of that rank comes before a whole one of another.
  const expected = (meaning: Meaning): boolean => meaning.within === within;
  const any = (): boolean => true;
  return only(whole, expected) ?? only(bare, expected) ?? only(whole, any) ?? only(bare, any) ?? null;
}

/** The subdivision that a subdivision lies in (`ES-M` in `ES-MD`); null for the widest of a country. */
export function subdivisionAround(code: string): string | null {
  names ??= readNames();
  return names.within.get(code) ?? null;
}

/** The name of a subdivision; null for what is no code of ISO 3166-2, or one that databases call a country (`US-PR`). */
export function subdivisionName(code: string): string | null {
  names ??= readNames();
  return names.names.get(code) ?? null;
}

/** Whether these codes are all of a country's subdivisions, itself or all parts of each. */
export function areAllSubdivisions(country: string, codes: ReadonlySet<string>): boolean {
  names ??= readNames();
  const { within } = names;
  const own = [...names.names.keys()].filter((code) => code.startsWith(`${country}-`));
  const isCovered = (code: string): boolean => {
    if (codes.has(code)) return true;
    const parts = own.filter((part) => within.get(part) === code);
    return parts.length > 0 && parts.every(isCovered);
  };
  const widest = own.filter((code) => !within.has(code));
  return widest.length > 0 && widest.every(isCovered);
}
