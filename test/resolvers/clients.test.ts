// How long programs take to reach the only address of several that answers, and in which order glibc gives them: docs/resolvers.md, "clients".
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Host, Internet } from '../support/internet.ts';
import { canMakeNamespaces } from '../support/namespace.ts';
import { have } from '../support/programs.ts';

const able = canMakeNamespaces() && have('curl', 'wget', 'python3', 'nft', 'getent');

/** Three that drop everything, and one that serves. */
const DEAD = ['203.0.113.1', '203.0.113.2', '203.0.113.3'] as const;
const ALIVE = '203.0.113.9';

describe.skipIf(!able)('a client with several addresses', () => {
  let internet: Internet;
  let client: Host;
  beforeAll(async () => {
    internet = new Internet();
    const web = internet.host(ALIVE, ...DEAD);
    client = internet.host('77.88.55.60', '192.168.77.10');
    const rules = `table inet f { chain i { type filter hook input priority 0; ip daddr { ${DEAD.join(', ')} } drop; }; };\n`;
    web.run('nft', '-f', web.write('rules', rules));
    const serve = `require('http').createServer((_, reply) => reply.end('alive')).listen(80, '${ALIVE}', () => console.log('ready'))`;
    const server = web.start(process.execPath, '-e', serve);
    await server.until(async () => server.output.includes('ready'));
  }, 60_000);
  afterAll(() => internet?.close());

  /** Runs a program where `web.test` has these addresses, and returns what it printed, or `failed`, and the seconds that it took. */
  function timed(addresses: readonly string[], ...command: string[]): { printed: string; seconds: number } {
    const hosts = client.write('hosts', addresses.map((address) => `${address} web.test\n`).join(''));
    const script = `mount --bind ${hosts} /etc/hosts; exec "$@"`;
    const fromMs = Date.now();
    let printed = 'failed';
    try {
      printed = client.run('sh', '-c', script, 'sh', ...command);
    } catch {
      // It gave up: that is what is asked.
    }
    return { printed, seconds: (Date.now() - fromMs) / 1000 };
  }
  const curl = (connectSeconds: number, ...addresses: string[]): { printed: string; seconds: number } =>
    timed(
      addresses,
      'curl',
      '-s',
      '--connect-timeout',
      `${connectSeconds}`,
      '--resolve',
      `web.test:80:${addresses.join(',')}`,
      'http://web.test/',
    );

  it('curl waits half of what is left for each', () => {
    const one = curl(8, DEAD[0], ALIVE);
    expect(one.printed).toBe('alive');
    expect(one.seconds).toBeGreaterThan(3.9);
    const two = curl(8, DEAD[0], DEAD[1], ALIVE);
    expect(two.printed).toBe('alive');
    expect(two.seconds).toBeGreaterThan(5.9);
  });

  it('curl with a short time never reaches the one that lives behind three dead ones', () => {
    expect(curl(3, ...DEAD, ALIVE).printed).toBe('failed');
    expect(curl(3, DEAD[0], ALIVE).printed).toBe('alive');
  });

  it('wget and Python wait the whole time for each', () => {
    const wget = timed([...DEAD, ALIVE], 'wget', '-q', '-T', '2', '--tries=1', '-O', '-', 'http://web.test/');
    expect(wget.printed).toBe('alive');
    expect(wget.seconds).toBeGreaterThan(5.9);
    const fetch = `import urllib.request; print(urllib.request.urlopen('http://web.test/', timeout=2).read().decode())`;
    const python = timed([...DEAD, ALIVE], 'python3', '-c', fetch);
    expect(python.printed.trim()).toBe('alive');
    expect(python.seconds).toBeGreaterThan(5.9);
  });

  it('Node waits a quarter of a second for each', () => {
    const fetch = `fetch('http://web.test/').then((reply) => reply.text()).then(console.log)`;
    const node = timed([...DEAD, ALIVE], process.execPath, '-e', fetch);
    expect(node.printed.trim()).toBe('alive');
    // Far below the ten seconds that one dead address would take it.
    expect(node.seconds).toBeLessThan(9);
  });

  it('glibc keeps the order of addresses elsewhere, and puts those of an own network first', () => {
    const order = (...addresses: string[]): string[] =>
      timed(addresses, 'getent', 'ahostsv4', 'web.test')
        .printed.split('\n')
        .filter((line) => line.includes('STREAM'))
        .map((line) => line.split(' ')[0]!);
    expect(order('203.0.113.9', '203.0.113.1', '203.0.113.5')).toEqual(['203.0.113.9', '203.0.113.1', '203.0.113.5']);
    client.run('ip', 'addr', 'add', '192.168.77.20/24', 'dev', 'eth0');
    expect(order('203.0.113.9', '192.168.77.200', '192.168.77.21')).toEqual([
      '192.168.77.21',
      '192.168.77.200',
      '203.0.113.9',
    ]);
  });

  it('is what the document says', () => {
    const text = readFileSync(new URL('../../docs/resolvers.md', import.meta.url), 'utf8');
    for (const program of ['curl', 'wget', 'Python', 'Node', 'glibc']) expect(text).toContain(`| ${program}`);
  });
});
