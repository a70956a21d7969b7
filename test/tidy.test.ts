import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { init, parse } from 'es-module-lexer';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const architecture = read('docs/ARCHITECTURE.md');
const operations = read('docs/operations.md');

/** Paths under src/, such as `base/clock.ts`. */
const files = readdirSync(new URL('src/', root), { recursive: true })
  .map((name) => String(name).replaceAll('\\', '/'))
  .filter((name) => /\.[cm]?tsx?$/.test(name))
  .sort();
const texts = new Map(files.map((file) => [file, read(`src/${file}`)]));

/** Module to layer, as docs/ARCHITECTURE.md has it. */
const layers = new Map(
  [...architecture.matchAll(/^### ([a-z]+) \(layer (\d+)\)$/gm)].map((m) => [m[1]!, Number(m[2])]),
);

/** The first sentence of a file's first comment. */
function purposeOf(text: string): string {
  const [comment] = /(?:^\/\/ .*\n)+/m.exec(text) ?? [''];
  return comment
    .replaceAll(/^\/\/ /gm, '')
    .trim()
    .replaceAll('\n', ' ')
    .replace(/(\.)\s+[A-Z].*$/, '$1');
}

/** How a bound is called, whatever its number. */
const BOUND_NAME =
  /(?:_MS|_SECONDS|TRIES|ROUNDS|RETRIES|SENDINGS|DEPTH|_MAX|MOST_\w+|LONGEST_\w+|LARGEST_\w+|FEWEST_\w+|SHARE)$/;

/** Files whose numbers are given: bounds, protocols, system calls, layouts and columns. */
const NUMBERS_OF_OTHERS =
  /^(?:base\/limits|wire\/.*|serve\/(?:abi|ffi|counters)|(?:zone|regionmap)\/layout|geo\/image)\.ts$/;

/** Numbers in other files that are no bounds. */
const GIVEN_NUMBERS: readonly string[] = [
  // Defaults that the documents name.
  'admin/events.ts:DEFAULT_EVENTS',
  'zonefile/parse.ts:DEFAULT_TTL_SECONDS',
  'zonefile/checks.ts:DEFAULT_INTERVAL_MS',
  'zonefile/checks.ts:DEFAULT_TIMEOUT_MS',
  'settings/geoip-update.ts:DEFAULT_EVERY_MS',
  'settings/geoip-update.ts:DEFAULT_MAX_CHANGE',
  // Layouts of memory and files of our own.
  'answer/ahead.ts:NODE_REACH',
  'answer/numbers.ts:COUNTRIES',
  'answer/whoami.ts:TEXT_OCTETS',
  'board/board.ts:LOAD_FULL',
  'board/ring.ts:TAIL',
  'board/ring.ts:DROPPED_BYTE',
  'board/ring.ts:WORDS_BYTE',
  'board/store.ts:UNIT_BYTES',
  'serve/unix-socket.ts:ADDRESS_BYTES',
  'serve/unix-socket.ts:LONGEST_PATH',
  'control/background.ts:MOST_FAVOURED',
  'board/store.ts:UNIT_BITS',
  'board/store.ts:HOLD_BASE',
  'board/store.ts:HOLD_STRIDE',
  'control/state-lock.ts:PID_CHARACTERS',
  'geo/merge.ts:SOMETHING',
  'geo/place-list.ts:CHUNK_BITS',
  'guard/rate.ts:SET_WORDS',
  'guard/rate.ts:UNITS_PER_MS',
  'loading/zone-cache.ts:DIGEST_BYTES',
  'serve/arena.ts:LINE',
  'zonefile/compile-records.ts:FIXED_OCTETS',
  // Protocols and file formats.
  'answer/edns.ts:OPT_OCTETS',
  'answer/edns.ts:SERVER_COOKIE_OCTETS',
  'answer/edns.ts:PADDING_BLOCK',
  'answer/transfer-request.ts:BADKEY',
  'answer/transfer-request.ts:TSIG_FIXED',
  'geo/mmdb.ts:SEPARATOR_BYTES',
  'geo/mmdb.ts:METADATA_BYTES',
  'geoupdate/mmdb-write.ts:IPV4_DEPTH',
  'geoupdate/unpack.ts:TAR_MAGIC_AT',
  'guard/cookies.ts:SERVER_OCTETS',
  'guard/cookies.ts:TIME_AT',
  'guard/cookies.ts:HASH_AT',
  'guard/secrets.ts:SECRET_OCTETS',
  'probe/chacha.ts:TAG_BYTES',
  'probe/noise.ts:RESPONSE_BYTES',
  'probe/noise.ts:COOKIE_REPLY_BYTES',
  'probe/response.ts:LF',
  'querylog/frame-streams.ts:CONTROL_BYTES',
  'querylog/opt-record.ts:FIXED_OCTETS',
  'serve/connection.ts:HEADER',
  'zonefile/apex.ts:DNS_PORT',
  // How arithmetic is tuned.
  'base/regex.ts:NEW_STEP',
  'health/load-factor.ts:DAMPING',
  'health/schedule.ts:JITTER',
  'geoupdate/schedule.ts:JITTER_SHARE',
  'zonefile/check.ts:ANSWER_BYTES',
  // System calls.
  'control/background.ts:HEALTH_SLICE_NS',
  'control/state-lock.ts:EWOULDBLOCK',
  'serve/priority.ts:SLICE_NS',
  'geoupdate/update-process.ts:BEHIND_ALL',
  // Units and the earth.
  'control/internal-errors.ts:MINUTE_MS',
  'geo/age.ts:DAY_MS',
  'geo/distance.ts:EARTH_RADIUS_KM',
  'settings/settings.ts:DAY_SECONDS',
  'zonefile/check-at.ts:OCEAN_KM',
  'zonefile/check-at.ts:LAND_KM',
  'zonefile/check-at.ts:POLAR_DEGREES',
  'zonefile/check-at.ts:POLAR_TOWN_KM',
  'zonefile/check-at.ts:AWAY_KM',
  'zonefile/checks.ts:DAY_MS',
  'zonefile/pools.ts:EARTH_HALF_KM',
];

const moduleOf = (file: string): string => file.split('/')[0]!;

await init;

/** What each file imports, types, re-exports and dynamic imports included, as written. */
const imports = new Map(
  [...texts].map(([file, text]) => [
    file,
    parse(text)[0].flatMap(({ specifier }) => (typeof specifier === 'string' ? [specifier] : [])),
  ]),
);

/** The file under src/ that a relative import names. */
function resolveImport(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

describe('the source tree', () => {
  it('is in docs/ARCHITECTURE.md, each file with its first sentence, and nothing else is', () => {
    const listed = [...architecture.matchAll(/^- `([a-z]+\/[^`]+\.ts)`: (.*)$/gm)].map((m) => [m[1]!, m[2]!]);
    const actual = files.map((file) => [file, purposeOf(texts.get(file)!)]);
    // "npm run document" mends this.
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(actual));
    expect(listed.length).toBe(files.length);
  });

  it('has a first line in each file that says what the file does', () => {
    for (const [file, text] of texts) expect(text, file).toMatch(/^(?:#!.*\n)?\/\/ \S.{10,}\n/);
  });

  it('has modules only, and each module a layer', () => {
    expect(new Set(files.map(moduleOf))).toEqual(new Set(layers.keys()));
  });

  it('imports something in nearly every file, as far as the lexer can tell', () => {
    // Or the next tests would pass by looking at nothing.
    expect([...imports.values()].filter((list) => list.length > 0).length).toBeGreaterThan(files.length / 2);
  });

  it('imports from the own room and from lower layers alone', () => {
    const wrong = [...imports].flatMap(([file, specifiers]) =>
      specifiers
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolveImport(file, specifier))
        .filter(
          (target) =>
            moduleOf(target) !== moduleOf(file) && layers.get(moduleOf(target))! >= layers.get(moduleOf(file))!,
        )
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('imports files that exist, by their own ending', () => {
    const missing = [...imports].flatMap(([file, specifiers]) =>
      specifiers
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolveImport(file, specifier))
        .filter((target) => !texts.has(target))
        .map((target) => `${file} -> ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('has named exports only, and no file that just exports others', () => {
    for (const [file, text] of texts) {
      expect(text, file).not.toMatch(/^export default/m);
      expect(text, file).not.toMatch(/^export \*/m);
    }
  });
});

describe('the files', () => {
  it('have at most 350 lines, but for the list of bounds', () => {
    const long = [...texts]
      .filter(([file, text]) => file !== 'base/limits.ts' && text.trimEnd().split('\n').length > 350)
      .map(([file]) => file);
    expect(long).toEqual([]);
  });

  it('import each other in no circle, types included', () => {
    const targets = (file: string): string[] =>
      imports
        .get(file)!
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => resolveImport(file, specifier));
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, path: readonly string[]): void => {
      const at = path.indexOf(file);
      if (at >= 0) circles.push([...path.slice(at), file].join(' -> '));
      if (at >= 0 || done.has(file)) return;
      for (const target of targets(file)) walk(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) walk(file, []);
    expect(circles).toEqual([]);
  });

  it('export values that somebody imports, or that their own file uses and a test looks at', () => {
    const others = ['test', 'bench', 'scripts']
      .flatMap((folder) =>
        readdirSync(new URL(`${folder}/`, root), { recursive: true }).map((name) => `${folder}/${String(name)}`),
      )
      .filter((name) => /\.m?[jt]s$/.test(name))
      .map((name) => read(name));
    const exported = [...texts].flatMap(([file, text]) =>
      [...text.matchAll(/^export (?:async )?(?:abstract )?(?:const|let|function\*?|class) (\w+)/gm)].map(
        (match) => [file, match[1]!] as const,
      ),
    );
    expect(exported.length).toBeGreaterThan(files.length);
    // A name that stands in no other file is imported by none.
    const unused = exported.filter(([file, name]) => {
      const word = new RegExp(`\\b${name}\\b`, 'g');
      if ([...texts].some(([other, text]) => other !== file && text.match(word))) return false;
      return texts.get(file)!.match(word)!.length < 2 || !others.some((text) => text.match(word));
    });
    expect(unused.map(([file, name]) => `${file}: ${name}`)).toEqual([]);
  });

  it('have their bounds in base/limits.ts', () => {
    const found = [...texts]
      .filter(([file]) => !NUMBERS_OF_OTHERS.test(file))
      .flatMap(([file, text]) =>
        // Small numbers name things (states, columns, words of a layout), hexadecimal ones characters and bits.
        [...text.matchAll(/^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: number)? = ([-+*/ ().\d_]+);/gm)]
          .filter(([, name, value]) => BOUND_NAME.test(name!) || value!.replaceAll(/\D/g, '').length > 1)
          .map(([, name]) => `${file}:${name}`),
      );
    expect(found.filter((name) => !GIVEN_NUMBERS.includes(name))).toEqual([]);
    expect(GIVEN_NUMBERS.filter((name) => !found.includes(name))).toEqual([]);
  });
});

describe('the dependencies', () => {
  const manifest = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const decisions = readdirSync(new URL('docs/decisions/', root))
    .map((name) => read(`docs/decisions/${name}`))
    .join('\n');

  it('have their reason in docs/decisions/', () => {
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect(decisions).toContain(`\`${name}\``);
    }
  });

  it('are used, and nothing else is imported', () => {
    const packages = [...imports.values()]
      .flat()
      .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
    const named = Object.keys(manifest.dependencies).filter((name) =>
      [...texts.values()].some((text) => text.includes(`'${name}`)),
    );
    expect(Object.keys(manifest.dependencies)).toEqual(expect.arrayContaining([...new Set(packages)]));
    expect(named).toEqual(Object.keys(manifest.dependencies));
  });
});

describe('docs/operations.md', () => {
  it('has every event code of the log, and no other', () => {
    const documented = [...operations.matchAll(/^\| `([a-z-]+)` \| (?:trace|debug|info|warn|error)/gm)].map(
      (m) => m[1]!,
    );
    const inCode = (pattern: RegExp): string[] =>
      [...texts.values()].flatMap((text) => [...text.matchAll(pattern)].map((match) => match[1]!));
    const logged = new Set(inCode(/\bevent: '([a-z-]+)'/g));
    // Codes that are put together, such as `health-${kind}`.
    const beginnings = inCode(/\bevent: `([a-z-]+)\$\{/g);
    expect([...logged].filter((code) => !documented.includes(code))).toEqual([]);
    const unknown = documented.filter(
      (code) => !logged.has(code) && !beginnings.some((start) => code.startsWith(start)),
    );
    expect(unknown).toEqual([]);
  });
});

describe('the documents', () => {
  it('link to files that exist', () => {
    const documents = [...readdirSync(root), ...readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`)];
    const broken = documents
      .filter((name) => name.endsWith('.md'))
      .flatMap((name) =>
        [...read(name).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)]
          .filter((match) => !existsSync(new URL(match[1]!, new URL(name, root))))
          .map((match) => `${name} -> ${match[1]}`),
      );
    expect(broken).toEqual([]);
  });
});
