// What a server counts, as Prometheus gets it: a scrape with the shipped rules, and alerts that fire when a target dies.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Authority } from '../support/certificates.ts';
import { HANGS_MS } from '../support/patience.ts';
import { freePort } from '../support/ports.ts';
import { have, Program } from '../support/programs.ts';
import { type RunningServer, startServer } from '../support/server.ts';
import { admin, askFor, countries, got, meridian, until } from '../support/story.ts';

const RULES = fileURLToPath(new URL('../../deploy/prometheus/meridian.rules.yaml', import.meta.url));
const GEO = countries({ '1.0.0.0/8': 'RU', '2.0.0.0/8': 'BR', '3.0.0.0/8': 'KZ' });
const [MOSCOW, RIO] = ['127.33.1.1', '127.33.1.2'];

function zone(port: number, caFile: string): string {
  return `
zone: numbers.test
ns: [ns.elsewhere.test.]
regions:
  russia: [RU]
  brazil: [BR]
checks:
  web: { https: { port: ${port}, path: /, host: shop.numbers.test, ca-file: ${caFile}, min-days: 3 }, interval: 200ms, timeout: 1s, fall: 2, rise: 1 }
pools:
  moscow: { check: web, members: [${MOSCOW}] }
  rio: { check: web, members: [${RIO}, "::1"] }
records:
  "@": { ADDR: { regions: { russia: [moscow, rio], brazil: [rio], default: [rio] } } }
  only: { A: { pools: [moscow] } }
  text: { TXT: ["hello"] }
`;
}

/** The samples of a scrape whose line begins so, by the rest of the line. */
function samples(text: string, name: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => [
      line.slice(name.length, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

describe.runIf(have('prometheus', 'promtool', 'openssl'))('the numbers of a server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meridian-numbers-'));
  const backends = new Map<string, HttpsServer>();
  let server: RunningServer;
  const scrape = async (headers = {}): Promise<string> => (await fetch(`${server.admin}/metrics`, { headers })).text();

  beforeAll(async () => {
    const port = await freePort();
    const authority = new Authority(folder);
    const { certificate, key } = authority.issue('backend', ['shop.numbers.test'], 10);
    for (const address of [MOSCOW, RIO]) {
      const options = { cert: readFileSync(certificate), key: readFileSync(key) };
      const backend = createServer(options, (_request, response) => response.end('fine')).listen(port, address);
      await once(backend, 'listening');
      backends.set(address, backend);
    }
    server = await startServer({
      files: { 'zones/numbers.test.yaml': zone(port, authority.file), 'geoip/test.mmdb': GEO },
    });
  }, HANGS_MS);

  afterAll(async () => {
    await server?.stop();
    for (const backend of backends.values()) {
      backend.closeAllConnections();
      backend.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  test('say which pool answered whom, over which transport and for which type', async () => {
    for (let i = 0; i < 3; i++) expect(await got(server, 'numbers.test', { subnet: '1.2.3.0/24' })).toBe(MOSCOW);
    expect(await got(server, 'numbers.test', { subnet: '2.2.3.0/24' })).toBe(RIO);
    expect(await got(server, 'numbers.test', { subnet: '3.2.3.0/24', tcp: true })).toBe(RIO);
    await askFor(server, 'text.numbers.test', { type: 'TXT' });
    await askFor(server, 'text.numbers.test', { type: 'TYPE65000' });
    const text = await scrape();
    expect(samples(text, 'meridian_pool_answers_total')).toEqual({
      '{zone="numbers.test",pool="moscow",region="russia",family="ipv4"}': 3,
      // Regions with one list are one.
      '{zone="numbers.test",pool="rio",region="brazil+default",family="ipv4"}': 2,
    });
    expect(samples(text, 'meridian_member_answers_total')).toMatchObject({
      [`{zone="numbers.test",pool="moscow",address="${MOSCOW}"}`]: 3,
      [`{zone="numbers.test",pool="rio",address="${RIO}"}`]: 2,
      '{zone="numbers.test",pool="rio",address="::1"}': 0,
    });
    expect(samples(text, 'meridian_queries_by_type_total')).toMatchObject({
      '{type="A",transport="udp"}': 4,
      '{type="A",transport="tcp"}': 1,
      '{type="TXT",transport="udp"}': 1,
      '{type="other",transport="udp"}': 1,
      '{type="other",transport="tcp"}': 0,
    });
    expect(samples(text, 'meridian_clients_total')).toEqual({
      '{country="RU"}': 3,
      '{country="BR"}': 1,
      '{country="KZ"}': 1,
      '{country="unknown"}': 2,
    });
  });

  test('say how large responses were and how long they took, of a quiet server every one', async () => {
    const text = await scrape();
    const answers = samples(text, 'meridian_answers_total')['']!;
    for (const name of ['meridian_response_size_bytes', 'meridian_response_seconds']) {
      expect(samples(text, `${name}_count`)['']).toBe(answers);
      expect(samples(text, `${name}_bucket`)['{le="+Inf"}']).toBe(answers);
      expect(samples(text, `${name}_sum`)['']).toBeGreaterThan(0);
    }
    expect(samples(text, 'meridian_response_size_bytes_bucket')['{le="512"}']).toBe(answers);
  });

  test('say how long certificates last, and status warns in time', async () => {
    const target = `{zone="numbers.test",pool="moscow",address="${MOSCOW}"}`;
    await until(
      async () => samples(await scrape(), 'meridian_target_certificate_days')[target],
      (days) => days === 10,
    );
    const { json } = await admin(server, 'GET', '/api/v1/status');
    expect(json.warnings).toContain(
      `certificate-expires: the certificate of numbers.test/moscow/${MOSCOW} expires in 10 days; its check web fails below 3 (min-days): renew it`,
    );
  });

  test('are such that promtool objects to nothing but days', async () => {
    const text = await scrape();
    const { stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    // Certificates are spoken of in days, as `min-days` is; the linter would have seconds.
    const days = 'meridian_target_certificate_days use base unit "seconds" instead of "days"';
    expect(stderr.trim().split('\n')).toEqual([days]);
  });

  test(
    'reach Prometheus with a token that may only scrape, and alerts fire when a target dies',
    async () => {
      const config = join(server.directory, 'meridian.yaml');
      const token = (await meridian(['token', 'add', 'prometheus', 'scraper', '--config', config])).out.trim();
      expect(token).toMatch(/^mrd_/);
      // The shipped rules, without their patience.
      writeFileSync(join(folder, 'rules.yaml'), readFileSync(RULES, 'utf8').replaceAll(/^( +for:) .*$/gm, '$1 0s'));
      writeFileSync(join(folder, 'token'), token);
      const file = {
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: ['rules.yaml'],
        scrape_configs: [
          {
            job_name: 'meridian',
            authorization: { credentials_file: 'token' },
            static_configs: [{ targets: [new URL(server.admin).host] }],
          },
        ],
      };
      writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(file));
      const port = await freePort();
      const prometheus = new Program('prometheus', [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ]);
      const ask = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).json();
      const firing = async (): Promise<string[]> => {
        const { data } = (await ask('/api/v1/alerts')) as {
          data: { alerts: { state: string; labels: Record<string, string> }[] };
        };
        return data.alerts
          .filter(({ state }) => state === 'firing')
          .map(({ labels }) => `${labels.alertname} ${labels.address ?? labels.zone ?? ''}`);
      };
      try {
        await prometheus.until(() =>
          ask('/api/v1/alerts').then(
            () => true,
            () => false,
          ),
        );
        await until(
          async () => (await ask('/api/v1/query?query=up')) as { data: { result: { value: [number, string] }[] } },
          ({ data }) => data.result[0]?.value[1] === '1',
        );
        expect(await firing()).not.toContain(`MeridianTargetDown ${MOSCOW}`);
        backends.get(MOSCOW)!.closeAllConnections();
        backends.get(MOSCOW)!.close();
        await until(firing, (alerts) =>
          [`MeridianTargetDown ${MOSCOW}`, 'MeridianFailOpen numbers.test', `MeridianCertificateExpires ${RIO}`].every(
            (alert) => alerts.includes(alert),
          ),
        );
      } finally {
        await prometheus.stop();
      }
    },
    3 * HANGS_MS,
  );
});
