// Which files of the zones folder are zones, and which of too many are left out.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileLane } from '../../dist/base/read-file.js';
import { readFolder } from '../../dist/loading/zone-files.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-zone-files-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const put = (...names: string[]): void => {
  for (const name of names) writeFileSync(join(directory, name), '');
};
const read = async (served: readonly string[], most?: number): Promise<[string[], string[]]> => {
  const { zones, leftOut } = await readFolder(fileLane, directory, new Map(served.map((name) => [name, true])), most);
  return [[...zones.keys()].sort(), [...leftOut]];
};

describe('of more zone files than are served', () => {
  it('the first by name are, and each of the others is told', async () => {
    put('a.test.yaml', 'b.test.yaml', 'c.test.yaml', 'd.test.yaml');
    expect(await read([], 2)).toEqual([
      ['a.test', 'b.test'],
      [join(directory, 'c.test.yaml'), join(directory, 'd.test.yaml')],
    ]);
    expect(await read([], 4)).toEqual([['a.test', 'b.test', 'c.test', 'd.test'], []]);
  });

  it('those that are served stay, whatever comes before them by name', async () => {
    put('a.test.yaml', 'b.test.yaml', 'c.test.yaml');
    expect(await read(['b.test', 'c.test'], 2)).toEqual([['b.test', 'c.test'], [join(directory, 'a.test.yaml')]]);
  });

  it("what is no zone takes nobody's place", async () => {
    put('_common.yaml', '.hidden.yaml', 'README.md', 'a.test.yaml', 'root.yaml');
    expect(await read([], 2)).toEqual([['.', 'a.test'], []]);
  });
});
