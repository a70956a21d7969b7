// Makes characters visible that would act on a reader's terminal or reorder a line: controls, and what formats text without being seen.

/**
 * Controls (Cc: C0, DEL, C1), formats (Cf: marks, embeddings, overrides and isolates that turn text around, what has no width) and
 * the separators that some readers take for an end of line.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** As JSON writes it: `\u001b`; two of them beyond 16 bits. */
function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
    .join('');
}

/** One line of text from outside (an operator's, a backend's), as it may be printed. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** The same for text of several lines: line feeds stay. */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN, (character) => (character === '\n' ? character : escaped(character)));
}
