import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ignore } from '@balena/dockerignore';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTEXT, canBuildImages, copied, Image, openWay, stagesOf } from '../support/image.ts';
import { canMakeNamespaces, Namespace } from '../support/namespace.ts';
import { got } from '../support/story.ts';

/** Its types say "export default", its code `module.exports`. */
const ignoreOf = createRequire(import.meta.url)('@balena/dockerignore') as () => Ignore;

const read = (name: string): string => readFileSync(join(CONTEXT, name), 'utf8');
const stages = stagesOf(read('Dockerfile'));
const copies = stages.flatMap(({ instructions }) =>
  instructions.filter((each) => each.getKeyword() === 'COPY').map(copied),
);
const fromContext = copies.filter(({ from }) => from === null).flatMap(({ sources }) => sources);

/** What .dockerignore lets through, of paths below the context. */
function letThrough(text = read('.dockerignore')): (path: string) => boolean {
  const ignore = ignoreOf().add(text);
  return (path) => !ignore.ignores(path);
}

describe('the Dockerfile', () => {
  it('copies only what is there and what .dockerignore lets through', () => {
    expect(fromContext.length).toBeGreaterThan(8);
    const passes = letThrough();
    for (const source of fromContext) {
      expect(existsSync(join(CONTEXT, source)), source).toBe(true);
      expect(passes(source), `.dockerignore holds ${source} back`).toBe(true);
    }
    // Or the test would pass by asking nothing.
    expect(letThrough('**\n!src')('scripts/bundle.mjs')).toBe(false);
  });

  it('gets nothing that it has no use for: no secrets, no state, nothing built elsewhere', () => {
    const passes = letThrough();
    for (const path of [
      '.git/config',
      '.env',
      'state/tokens',
      'node_modules/x/index.js',
      'dist/cli/main.js',
      'zones/net.cat.yaml',
    ]) {
      expect(passes(path), path).toBe(false);
    }
  });

  it('copies from stages that come before', () => {
    const names = stages.map(({ name }) => name);
    for (const { from } of copies) if (from !== null) expect(names.slice(0, -1)).toContain(from);
  });

  it('runs as a number that is not root', () => {
    const users = stages.at(-1)!.instructions.filter((each) => each.getKeyword() === 'USER');
    expect(users.at(-1)?.getArgumentsContent()).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });
});

describe.skipIf(!canBuildImages() || !canMakeNamespaces())('the image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meridian-image-'));
  let image: Image;
  let namespace: Namespace;

  beforeAll(async () => {
    openWay(folder);
    // The context as an engine gets it: through .dockerignore.
    const context = join(folder, 'context');
    const passes = letThrough();
    for (const source of fromContext) {
      cpSync(join(CONTEXT, source), join(context, source), {
        recursive: true,
        filter: (path) => statSync(path).isDirectory() || passes(path.slice(CONTEXT.length)),
      });
    }
    image = await Image.build(folder, context);
    namespace = new Namespace(61);
    // As Docker and Podman have it.
    namespace.exec('sysctl', '-qw', 'net.ipv4.ip_unprivileged_port_start=0');
  }, 900_000);
  afterAll(() => {
    namespace?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('serves a mounted zone on port 53, not as root, with a root that can not be written', async () => {
    const zones = join(folder, 'zones');
    mkdirSync(zones);
    writeFileSync(
      join(zones, 'example.test.yaml'),
      'version: meridian/v1\nzone: example.test\nns: [ns1.example.test.]\nrecords:\n  ns1: { A: 192.0.2.53 }\n  www: { A: 192.0.2.1 }\n',
    );
    const [command, ...args] = image.inside(image.command, {
      readOnly: true,
      mounts: { '/etc/meridian/zones': zones },
    });
    const server = namespace.start(command!, args);
    try {
      await server.until(async () => server.output.includes('Meridian serves'));
      const outside = { host: namespace.address, port: 53 };
      expect(await got(outside, 'www.example.test')).toBe('192.0.2.1');
      expect(await got(outside, 'www.example.test', { tcp: true })).toBe('192.0.2.1');
      expect(existsSync(image.on('/var/lib/meridian/serials.json'))).toBe(true);
      const problems = server.output
        .split('\n')
        .filter((line) => /"level":[45]0/.test(line) && !line.includes('"geo-old"'));
      expect(problems).toEqual([]);
      // What the engine asks.
      const probe = stages.at(-1)!.instructions.find((each) => each.getKeyword() === 'HEALTHCHECK')!;
      const asked = JSON.parse(/CMD (\[.*\])$/.exec(probe.getArgumentsContent()!)![1]!) as string[];
      namespace.exec(...asked);
    } finally {
      await server.stop();
    }
  });

  it('has the command, its dashboard, database and licences, and no compiler', () => {
    const app = '/opt/meridian';
    for (const path of ['dashboard/index.html', 'data', 'LICENSE', 'NOTICE', 'package.json', 'dist/cli/main.js']) {
      expect(existsSync(image.on(`${app}/${path}`)), path).toBe(true);
    }
    for (const path of ['typescript', 'vitest', 'rolldown']) {
      expect(existsSync(image.on(`${app}/node_modules/${path}`)), path).toBe(false);
    }
    const [command, ...args] = image.inside(['meridian', '--version'], { readOnly: true });
    namespace.exec(command!, ...args);
  });
});
