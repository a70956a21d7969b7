// The JSON text of a reply in pieces: entries of its lists are put into words one by one, so that a long one is never there as a whole.
import { limits } from '../base/limits.ts';
import type { Slices } from '../base/slices.ts';

type List = Iterable<unknown> | AsyncIterable<unknown>;

function isList(value: unknown): value is List {
  return typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** Pieces of about `limits.adminPieceBytes` of an object whose values may be lists. Throws Unwanted. */
export async function* jsonPieces(reply: object, slices: Slices): AsyncGenerator<string> {
  let text = '{';
  let comma = '';
  for (const [key, value] of Object.entries(reply) as [string, unknown][]) {
    if (value === undefined) continue;
    text += `${comma}${JSON.stringify(key)}:`;
    comma = ',';
    if (!isList(value)) {
      text += JSON.stringify(value);
      continue;
    }
    text += '[';
    let between = '';
    const entries = Symbol.asyncIterator in value ? value : inTurn(value);
    for await (const entry of entries) {
      if (slices.isOver) await slices.rest();
      text += between + JSON.stringify(entry);
      between = ',';
      if (text.length < limits.adminPieceBytes) continue;
      yield text;
      text = '';
    }
    text += ']';
  }
  yield `${text}}`;
}

/** `for await` over a list would wait for promises in it too; none has any. */
async function* inTurn(list: Iterable<unknown>): AsyncGenerator<unknown> {
  yield* list;
}
