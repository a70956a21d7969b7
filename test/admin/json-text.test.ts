import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonPieces } from '../../dist/admin/json-text.js';
import { limits } from '../../dist/base/limits.js';
import { Slices } from '../../dist/base/slices.js';

async function textOf(reply: object): Promise<string> {
  let text = '';
  for await (const piece of jsonPieces(reply, new Slices())) text += piece;
  return text;
}

describe('JSON in pieces', () => {
  it('is the JSON of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (reply) => {
        expect(await textOf(reply)).toBe(JSON.stringify(reply));
      }),
      { numRuns: 50 },
    );
  });

  it('takes lists that are made while they are told', async () => {
    async function* later(): AsyncGenerator<object> {
      yield { a: 1 };
      yield { b: undefined };
    }
    const reply = { none: undefined, later: later(), soon: new Set([1, 2]), empty: [] };
    expect(await textOf(reply)).toBe('{"later":[{"a":1},{}],"soon":[1,2],"empty":[]}');
  });

  it('makes no entry before the piece before it is taken', async () => {
    let made = 0;
    function* entries(): Generator<string> {
      for (;;) {
        made++;
        yield 'x'.repeat(1_000);
      }
    }
    const pieces = jsonPieces({ entries: entries() }, new Slices());
    const first = await pieces.next();
    expect((first.value as string).length).toBeLessThan(limits.adminPieceBytes + 2_000);
    expect(made).toBeLessThan(limits.adminPieceBytes / 1_000 + 2);
    await pieces.return(undefined);
  });
});
