// Whoever passes the embedded database on says whose it is: README, NOTICE, image, package and dashboard.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EMBEDDED_DATABASE, embeddedDatabaseFile } from '../../dist/geo/embedded-database.js';
import { readDatabase } from '../../dist/geo/mmdb.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { path, file, licence, attribution, attributionUrl } = EMBEDDED_DATABASE;

describe('the embedded database', () => {
  it('is in the package that it is said to be in, which is a dependency, and has countries', () => {
    expect(Object.keys(JSON.parse(read('package.json')).dependencies)).toContain(path.replace(`/${file}`, ''));
    const database = readDatabase(file, readFileSync(embeddedDatabaseFile()));
    if (typeof database === 'string') throw new Error(database);
    expect(database.records.some(({ place }) => place.country !== null)).toBe(true);
  });

  // "npm run document" mends this.
  it.each(['README.md', 'NOTICE', 'dashboard/index.html'])(
    'is named with its licence and its source in %s',
    (document) => {
      for (const words of [file.replace('.mmdb', ''), licence, attribution, attributionUrl])
        expect(read(document)).toContain(words);
    },
  );

  it('goes into the image and the package with that notice', () => {
    expect(JSON.parse(read('package.json')).files).toContain('NOTICE');
    expect(read('Dockerfile')).toMatch(/^COPY .*\bNOTICE\b/m);
    for (const line of read('Dockerfile').matchAll(/^COPY (?!--from)(.*) \S+$/gm))
      for (const source of line[1]!.split(' '))
        expect(read('.dockerignore'), source).toContain(`!${source.split('/')[0]}`);
  });

  it('was chosen for reasons that are written down', () => {
    expect(read('docs/decisions/0003-geography.md')).toContain(path.replace(`/${file}`, ''));
  });
});
