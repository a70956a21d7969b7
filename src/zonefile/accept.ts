// `accept`: warnings of a file that somebody has looked at and means as they are.
import { CODES, type Code } from '../base/codes.ts';
import type { Document, Node } from '../base/document.ts';
import { readOneOrMore, readScalar } from '../base/fields.ts';
import { nearest } from '../base/nearest.ts';

const WARNINGS = Object.keys(CODES).filter((code) => CODES[code as Code].severity === 'warning');

/** Reads `accept` and keeps those warnings out of what the document tells. One that never comes is fine: another machine may have other databases. */
export function readAccept(document: Document, node: Node): readonly Code[] {
  const codes: Code[] = [];
  for (const element of readOneOrMore(document, node, 'accept') ?? []) {
    const scalar = readScalar(document, element, 'an accepted warning', 'the code of a warning');
    if (scalar === undefined) continue;
    const { text } = scalar;
    if (WARNINGS.includes(text)) {
      codes.push(text as Code);
      continue;
    }
    const meant = nearest(text, WARNINGS);
    const isError = Object.hasOwn(CODES, text);
    const message = isError ? `${text} is an error: it can't be accepted` : `there is no warning "${text}"`;
    const other =
      meant === undefined
        ? 'write the code that stands before the message, such as one-family'
        : `did you mean ${meant}?`;
    document.report('bad-choice', scalar, message, isError ? 'correct what it is about' : other);
  }
  document.accept(codes);
  return codes;
}
