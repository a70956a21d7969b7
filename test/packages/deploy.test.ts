import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readSettings } from '../../dist/settings/settings.js';
import { MAIN, meridian } from '../support/meridian.ts';
import { npmPackage } from '../support/npm.ts';
import { freePort } from '../support/ports.ts';
import { have, Program } from '../support/programs.ts';
import { startServer } from '../support/server.ts';
import { got, until } from '../support/story.ts';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
const read = (path: string): string => readFileSync(join(deploy, path), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'meridian-deploy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program's output, standard error behind it; throws with both when it fails. */
function out(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The settings that a text stands for; throws when there is anything to say against them. */
function settingsOf(text: string) {
  const { settings, diagnostics } = readSettings({ file: '/etc/meridian/meridian.yaml', text });
  expect(diagnostics).toEqual([]);
  return settings!;
}

const ZONE = (address: string): string =>
  `version: meridian/v1\nzone: example.test\nns: [ns1.example.test.]\nrecords:\n  ns1: { A: 192.0.2.53 }\n  www: { A: ${address} }\n`;

describe('the systemd unit', () => {
  const unit = join(deploy, 'systemd/meridian.service');

  it.skipIf(!have('systemd-analyze'))('is one that systemd takes as it stands', () => {
    // The manual page is there where the package is installed.
    expect(out('systemd-analyze', 'verify', '--man=no', unit)).toBe('');
  });

  it.skipIf(!have('systemd-analyze'))('leaves little to who breaks in: an exposure of 2.0 at most', () => {
    const said = out('systemd-analyze', 'security', '--offline=true', '--no-pager', unit);
    const exposure = Number(/Overall exposure level for meridian\.service: ([\d.]+)/.exec(said)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(2);
  });

  it('is ready when queries are answered, and a reload replaces the process: the new one may say that it is the main one', () => {
    const lines = readFileSync(unit, 'utf8').split('\n');
    const start = lines.find((line) => line.startsWith('ExecStart='))!;
    const replace = start.replace('ExecStart=', 'ExecReload=').replace(' serve ', ' serve --replace --detach ');
    const wanted = ['Type=notify', 'NotifyAccess=all', 'WatchdogSec=30', 'TimeoutStopSec=5', replace];
    for (const line of wanted) expect(lines).toContain(line);
    expect(lines.find((line) => line.startsWith('RestrictAddressFamilies='))).toContain('AF_UNIX');
  });

  it('comes with settings for port 53 on every address', () => {
    const { listen, state } = settingsOf(read('systemd/meridian.yaml'));
    expect(listen.map(({ text }) => text)).toEqual(['0.0.0.0:53', '[::]:53']);
    expect(state).toBe('/var/lib/meridian');
  });

  it.skipIf(!have('systemd-analyze', 'strace'))('allows every system call that the server makes', async () => {
    const port = await freePort();
    const trace = join(folder, 'trace');
    const config = join(folder, 'meridian.yaml');
    mkdirSync(join(folder, 'zones'), { recursive: true });
    writeFileSync(join(folder, 'zones/example.test.yaml'), ZONE('192.0.2.1'));
    writeFileSync(config, `version: meridian/v1\nlisten: ["127.0.0.1:${port}"]\nadmin: { listen: "127.0.0.1:0" }\n`);
    const server = new Program('strace', [
      '-f',
      '-qq',
      '-o',
      trace,
      process.execPath,
      MAIN,
      'serve',
      '--config',
      config,
    ]);
    await server.until(async () => server.output.includes('"ready"'));
    const at = { host: '127.0.0.1', port };
    expect(await got(at, 'www.example.test')).toBe('192.0.2.1');
    expect(await got(at, 'www.example.test', { tcp: true })).toBe('192.0.2.1');
    // strace would only let go of what it watches.
    const { pid } = server.process;
    for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')) {
      process.kill(Number(child), 'SIGKILL');
    }
    await new Promise((resolve) => server.process.once('exit', resolve));
    const used = new Set([...readFileSync(trace, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map((match) => match[1]!));
    expect(used.size).toBeGreaterThan(30);
    const allowed = allowedCalls(readFileSync(unit, 'utf8'));
    // V8 asks for memory protection keys and does without.
    expect([...used].filter((call) => !allowed.has(call) && !call.startsWith('pkey_'))).toEqual([]);
  });
});

/** The calls that the unit's SystemCallFilter= lines leave, in their order. */
function allowedCalls(unit: string): Set<string> {
  const allowed = new Set<string>();
  for (const [, minus, list] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const call of list!.split(' ').flatMap(callsOf)) minus === '~' ? allowed.delete(call) : allowed.add(call);
  }
  return allowed;
}

function callsOf(name: string): string[] {
  if (!name.startsWith('@')) return [name];
  const lines = out('systemd-analyze', 'syscall-filter', name).split('\n').slice(1);
  const inside = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  return inside.flatMap(callsOf);
}

describe('the compose file', () => {
  const file = join(deploy, 'compose/compose.yaml');

  it.skipIf(!have('docker-compose'))('is one that Compose takes', () => {
    out('docker-compose', '--file', file, 'config', '--quiet');
  });

  it('mounts files that are there, and settings that Prometheus can scrape through its own loopback', () => {
    const { services } = parse(readFileSync(file, 'utf8'));
    const mounts = [...services.meridian.volumes, ...services.prometheus.volumes].map(
      (text: string) => text.split(':')[0]!,
    );
    for (const path of mounts) if (path.startsWith('.')) expect(existsSync(join(dirname(file), path)), path).toBe(true);
    const { admin, listen } = settingsOf(read('compose/meridian.yaml'));
    expect(listen.map(({ text }) => text)).toEqual(['0.0.0.0:53']);
    expect(services.prometheus.network_mode).toBe('service:meridian');
    const [job] = parse(read('prometheus/prometheus.yml')).scrape_configs;
    expect(job.static_configs[0].targets).toEqual([admin.listen.text]);
  });

  it('has an example zone that nothing can be said against', async () => {
    const { code, stdout } = await meridian(['check', join(deploy, 'compose/zones')]);
    expect(stdout).toContain('0 errors, 0 warnings');
    expect(code).toBe(0);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: manifests of any kind; their types are checked below by the compiler.
type Manifest = any;

describe('the Kubernetes manifests', () => {
  const manifests: Manifest[] = ['zones', 'meridian'].flatMap((name) =>
    parseAllDocuments(read(`kubernetes/${name}.yaml`)).map((document) => document.toJS()),
  );
  const of = (kind: string): Manifest[] => manifests.filter((manifest) => manifest.kind === kind);
  const pod = of('StatefulSet')[0].spec.template;
  const [container] = pod.spec.containers;
  let models: string | null = null;

  beforeAll(async () => {
    models = await npmPackage('kubernetes-models@5.1.0');
  }, 300_000);

  it('are what their schemas ask for', async (context) => {
    if (models === null) return context.skip();
    for (const manifest of manifests) {
      const module = await import(pathToFileURL(join(models, manifest.apiVersion, 'index.js')).href);
      new module[manifest.kind](manifest).validate();
    }
  });

  it('have no key that Kubernetes does not know', (context) => {
    if (models === null) return context.skip();
    expect(compile(models, manifests)).toBe('');
    const mistyped = structuredClone(of('StatefulSet')[0]);
    mistyped.spec.template.spec.containers[0].readinesProbe = container.readinessProbe;
    expect(compile(models, [mistyped])).toContain('readinesProbe');
  });

  it('name each other rightly: labels, ports, volumes, configuration', () => {
    const labels = pod.metadata.labels;
    for (const { spec } of of('Service')) expect(labels).toMatchObject(spec.selector);
    expect(labels).toMatchObject(of('PodDisruptionBudget')[0].spec.selector.matchLabels);
    expect(of('Service').map(({ metadata }) => metadata.name)).toContain(of('StatefulSet')[0].spec.serviceName);
    const ports = container.ports.map(({ name }: Manifest) => name);
    for (const { spec } of of('Service')) for (const { targetPort } of spec.ports) expect(ports).toContain(targetPort);
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      expect(ports).toContain(container[probe].httpGet.port);
    }
    const volumes = [
      ...pod.spec.volumes,
      ...of('StatefulSet')[0].spec.volumeClaimTemplates.map((each: Manifest) => each.metadata),
    ];
    const named = volumes.map(({ name }: Manifest) => name);
    for (const { name } of container.volumeMounts) expect(named).toContain(name);
    const maps = of('ConfigMap').map(({ metadata }) => metadata.name);
    for (const { configMap } of pod.spec.volumes) if (configMap !== undefined) expect(maps).toContain(configMap.name);
  });

  it('run without root and rights, and write to their volume alone', () => {
    expect(pod.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('bring settings and zones that nothing can be said against, and a budget that keeps a server', async () => {
    const [settings, zones] = of('ConfigMap').map(({ data }) => data);
    const { admin, state } = settingsOf(settings['meridian.yaml']);
    const mounts = container.volumeMounts.map(({ mountPath }: Manifest) => mountPath);
    expect(mounts).toContain(state);
    expect(mounts).toContain(dirname(admin.tokensFile));
    const folderOfZones = join(folder, 'kubernetes-zones');
    mkdirSync(folderOfZones);
    for (const [name, text] of Object.entries(zones)) writeFileSync(join(folderOfZones, name), text as string);
    expect((await meridian(['check', folderOfZones])).stdout).toContain('0 errors, 0 warnings');
    expect(of('PodDisruptionBudget')[0].spec.minAvailable).toBeLessThan(of('StatefulSet')[0].spec.replicas);
  });
});

/** What the compiler says of the manifests as objects of their types: it names keys that a type doesn't have. */
function compile(models: string, manifests: readonly Manifest[]): string {
  const source = manifests
    .map((manifest, i) => {
      const type = `import('kubernetes-models/${manifest.apiVersion}').I${manifest.kind}`;
      return `export const manifest${i}: ${type} = ${JSON.stringify(manifest, null, 1)};\n`;
    })
    .join('');
  const file = join(dirname(dirname(models)), `manifests-${process.pid}.ts`);
  writeFileSync(file, source);
  const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--module', 'nodenext', '--types', ''];
  try {
    return out(process.execPath, tsc, ...options, file);
  } catch (error) {
    return (error as { stdout: string }).stdout;
  } finally {
    rmSync(file);
  }
}

describe('a zones folder that the kubelet keeps', () => {
  it('is read through its links, and read anew when they lead elsewhere', async () => {
    const directory = join(folder, 'kubelet');
    const zones = join(directory, 'zones');
    const version = (name: string, address: string): void => {
      mkdirSync(join(zones, name), { recursive: true });
      writeFileSync(join(zones, name, 'example.test.yaml'), ZONE(address));
      symlinkSync(name, join(zones, '..data_tmp'));
      renameSync(join(zones, '..data_tmp'), join(zones, '..data'));
    };
    version('..2026_01_01', '192.0.2.1');
    symlinkSync('..data/example.test.yaml', join(zones, 'example.test.yaml'));
    const server = await startServer({ files: {}, directory });
    try {
      expect(await got(server, 'www.example.test')).toBe('192.0.2.1');
      version('..2026_01_02', '192.0.2.2');
      rmSync(join(zones, '..2026_01_01'), { recursive: true });
      await until(
        () => got(server, 'www.example.test'),
        (seen) => seen === '192.0.2.2',
      );
      const checked = await meridian(['check', '--config', join(directory, 'meridian.yaml')]);
      expect(checked.stdout).toContain('0 errors, 0 warnings');
    } finally {
      await server.stop();
    }
  });
});
