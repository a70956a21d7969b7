// meridian.yaml: every setting with its default, typed, with absolute paths.
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isLoopback, parseAddress } from '../base/address.ts';
import type { Diagnostic } from '../base/diagnostic.ts';
import { type Document, type MapNode, type Node, readDocument } from '../base/document.ts';
import { Fields, readChoice, readFlag, readMap, readNetwork, readOneOrMore, readScalar } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import type { LogLevel } from '../base/log.ts';
import { type Environment, overlaid, readEnvironment } from './environment.ts';
import { readUpdate, type UpdateSettings } from './geoip-update.ts';
import { type QueryLogSettings, readQueryLog } from './query-log.ts';
import { SECTION_EXAMPLES } from './section-examples.ts';
import {
  type Endpoint,
  endpoint,
  type RateLimitSettings,
  readEndpoint,
  readHostName,
  readIdentity,
  readListen,
  readUrl,
  readWorkers,
  type WebhookSettings,
} from './values.ts';

export interface AdminSettings {
  readonly listen: Endpoint;
  /** Absolute path. */
  readonly tokensFile: string;
  /** Whether the file named a `tokens-file` itself. */
  readonly tokensFileGiven: boolean;
  /** Host names that requests may carry besides addresses and `localhost`; lower case. */
  readonly hosts: readonly string[];
}

/** What is configured, defaults filled in. Paths are absolute. */
export interface Settings {
  /** The folder that relative paths start from. */
  readonly baseDirectory: string;
  readonly listen: readonly Endpoint[];
  /** Whether the file (or the environment) named `listen` itself. */
  readonly listenGiven: boolean;
  readonly admin: AdminSettings;
  readonly zones: string;
  readonly geoip: {
    readonly directory: string;
    readonly overrides: string;
    /** null: databases are not fetched. */
    readonly update: UpdateSettings | null;
  };
  readonly state: string;
  /** Data-plane threads; null: as many as fit the machine (`auto`). */
  readonly workers: number | null;
  readonly udp: {
    readonly maxSize: number;
    readonly maxSizeWithoutCookie: number;
    /** Data threads run before everything else while they have little to do, where the kernel allows it. */
    readonly realtime: boolean;
  };
  readonly tcp: {
    readonly idleTimeoutMs: number;
    readonly maxConnections: number;
    readonly maxConnectionsPerClient: number;
  };
  /** `secretFileGiven`: the settings name it. */
  readonly cookies: { readonly secretFile: string; readonly secretFileGiven: boolean };
  /** null: off. */
  readonly rateLimit: RateLimitSettings | null;
  /** What is empty is not told. */
  readonly identity: { readonly nsid: string; readonly version: string; readonly hostname: string };
  readonly health: {
    readonly maxConcurrent: number;
    readonly blackoutHoldMs: number;
    readonly exec: boolean;
    /** Folders below which `file` checks may read; absolute. */
    readonly files: readonly string[];
    /** Whether probes may go to link-local and metadata addresses. */
    readonly linkLocal: boolean;
    readonly webhooks: readonly WebhookSettings[];
  };
  readonly log: { readonly level: LogLevel };
  /** null: queries are not logged. */
  readonly queryLog: QueryLogSettings | null;
}

/** What checks may do. */
export function checkRulesOf({ health }: Settings): Pick<Settings['health'], 'exec' | 'files' | 'linkLocal'> {
  return { exec: health.exec, files: health.files, linkLocal: health.linkLocal };
}

const KEYS = [
  'version',
  'listen',
  'admin',
  'zones',
  'geoip',
  'state',
  'workers',
  'udp',
  'tcp',
  'cookies',
  'rate-limit',
  'identity',
  'health',
  'log',
  'query-log',
] as const;

const DAY_SECONDS = 86_400;

/**
 * Reads the settings. `source` null: there is no file, everything is as by default, relative to `directory`.
 * `settings` is null when there are errors. Never throws. `fileExists` tells whether the tokens file is there;
 * `environment` has variables that win over the file (`MERIDIAN_LISTEN` ...).
 */
export function readSettings(
  source: { readonly file: string; readonly text: string } | null,
  directory: string = source === null ? process.cwd() : dirname(resolve(source.file)),
  fileExists: (path: string) => boolean = existsSync,
  environment: Environment = {},
): { settings: Settings | null; diagnostics: readonly Diagnostic[] } {
  const document = readDocument(source?.file ?? 'meridian.yaml', source?.text ?? '');
  const map =
    document.root === null ? undefined : readMap(document, document.root, 'meridian.yaml', undefined, 'zones: zones');
  if (map === undefined) return { settings: null, diagnostics: document.diagnostics };
  const parts = readEnvironment(environment);
  // Each by itself first, so that a mistake is told of its variable. Whether tokens are missing shows with the file.
  for (const part of parts) new SettingsReader(part.document, part.map, directory, () => true).read();
  const sound = parts.filter((part) => !part.document.failed);
  const whole = sound.reduce((merged, part) => overlaid(merged, part.map), map);
  const settings = new SettingsReader(document, whole, directory, fileExists).read();
  const failed = document.failed || sound.length < parts.length;
  const diagnostics = [...parts.map((part) => part.document), document].flatMap((each) => each.diagnostics);
  return { settings: failed ? null : settings, diagnostics };
}

class SettingsReader {
  readonly #document: Document;
  readonly #fields: Fields;
  readonly #directory: string;
  readonly #fileExists: (path: string) => boolean;

  constructor(document: Document, map: MapNode, directory: string, fileExists: (path: string) => boolean) {
    this.#document = document;
    this.#fields = new Fields(document, map, 'meridian.yaml', KEYS);
    this.#directory = directory;
    this.#fileExists = fileExists;
  }

  read(): Settings {
    const fields = this.#fields;
    fields.read('version', (document, node, what) => readChoice(document, node, what, ['meridian/v1']));
    const geoip = this.#section('geoip', ['directory', 'overrides', 'update']);
    const identity = this.#section('identity', ['nsid', 'version', 'hostname']);
    const geoipDirectory = this.#path(geoip, 'directory', 'geoip');
    const state = this.#path(fields, 'state', 'state');
    return {
      baseDirectory: this.#directory,
      listen: readListen(this.#document, fields.node('listen')),
      listenGiven: fields.has('listen'),
      admin: this.#admin(state),
      zones: this.#path(fields, 'zones', 'zones'),
      geoip: {
        directory: geoipDirectory,
        overrides: this.#path(geoip, 'overrides', resolve(geoipDirectory, 'overrides.yaml')),
        update:
          geoip.read('update', (document, node) => {
            const map = readMap(document, node, 'geoip.update', undefined, '{ source: dbip, every: 7d }');
            return map === undefined ? undefined : readUpdate(document, map, this.#directory);
          }) ?? null,
      },
      state,
      workers: fields.read('workers', readWorkers) ?? null,
      udp: this.#udp(),
      tcp: this.#tcp(),
      cookies: this.#cookies(state),
      rateLimit: this.#rateLimit(),
      identity: {
        nsid: identity.read('nsid', readIdentity) ?? '',
        version: identity.read('version', readIdentity) ?? '',
        hostname: identity.read('hostname', readIdentity) ?? '',
      },
      health: this.#health(state),
      log: {
        level:
          this.#section('log', ['level']).choice('level', [
            'trace',
            'debug',
            'info',
            'warn',
            'error',
            'silent',
          ] as const) ?? 'info',
      },
      queryLog: fields.read('query-log', (document, node) => readQueryLog(document, node, this.#directory)) ?? null,
    };
  }

  /** The map under a key; an empty one where it is missing or wrong (reported). */
  #section(key: string, known: readonly string[]): Fields {
    const node = this.#fields.node(key);
    const map = node === undefined ? undefined : readMap(this.#document, node, key, undefined, SECTION_EXAMPLES[key]);
    return new Fields(this.#document, map ?? { kind: 'map', entries: new Map(), offset: 0 }, key, known);
  }

  #path(fields: Fields, key: string, fallback: string): string {
    const text = fields.read(key, (document, node, what) => {
      const scalar = readScalar(document, node, what, 'a path');
      if (scalar?.text !== '') return scalar?.text;
      document.report('bad-path', scalar, `${what}: this is no path`, 'write a path, or remove the key');
      return undefined;
    });
    return resolve(this.#directory, text ?? fallback);
  }

  #cookies(state: string): Settings['cookies'] {
    const fields = this.#section('cookies', ['secret-file']);
    const secretFile = this.#path(fields, 'secret-file', resolve(state, 'cookie.key'));
    return { secretFile, secretFileGiven: fields.has('secret-file') };
  }

  #admin(state: string): AdminSettings {
    const fields = this.#section('admin', ['listen', 'tokens-file', 'hosts']);
    const listen = fields.read('listen', readEndpoint) ?? endpoint(parseAddress('127.0.0.1')!, 8053);
    const hosts = (fields.read('hosts', readOneOrMore) ?? []).map((node) => readHostName(this.#document, node));
    const tokensFileGiven = fields.has('tokens-file');
    const tokensFile = this.#path(fields, 'tokens-file', resolve(state, 'tokens'));
    // Whether a file that is named has tokens in it shows when the admin starts: it may be made after the settings.
    if (!isLoopback(listen.address) && !tokensFileGiven && !this.#fileExists(tokensFile)) {
      const fix = 'add tokens-file: state/tokens (and a token: meridian token add NAME admin), or listen on 127.0.0.1';
      const message = `the admin on ${listen.text} can be reached by others and needs tokens`;
      this.#document.report('admin-without-tokens', fields.node('listen') ?? 0, message, fix);
    }
    return {
      listen,
      tokensFile,
      tokensFileGiven,
      hosts: hosts.filter((host) => host !== undefined),
    };
  }

  #udp(): Settings['udp'] {
    const fields = this.#section('udp', ['max-size', 'max-size-without-cookie', 'realtime']);
    const size = (key: string): number => fields.whole(key, limits.plainUdpBytes, limits.messageBytes) ?? 1232;
    return {
      maxSize: size('max-size'),
      maxSizeWithoutCookie: size('max-size-without-cookie'),
      realtime: fields.flag('realtime') ?? true,
    };
  }

  #tcp(): Settings['tcp'] {
    const fields = this.#section('tcp', ['idle-timeout', 'max-connections', 'max-connections-per-client']);
    return {
      idleTimeoutMs: (fields.seconds('idle-timeout', 1, DAY_SECONDS) ?? 10) * 1000,
      maxConnections: fields.whole('max-connections', 1, 1_000_000) ?? 10_000,
      maxConnectionsPerClient: fields.whole('max-connections-per-client', 1, 1_000_000) ?? 100,
    };
  }

  #rateLimit(): RateLimitSettings | null {
    const node = this.#fields.node('rate-limit');
    if (node?.kind === 'scalar') {
      if (node.text === 'off') return null;
      const fix = 'write off, or { responses-per-second: 200, slip: 1 }';
      this.#document.report('bad-choice', node, `rate-limit cannot be "${node.text}"`, fix);
      return null;
    }
    const fields = this.#section('rate-limit', [
      'responses-per-second',
      'slip',
      'ipv4-prefix',
      'ipv6-prefix',
      'exempt',
    ]);
    const exempt = (fields.read('exempt', readOneOrMore) ?? []).map((element) =>
      readNetwork(this.#document, element, 'exempt'),
    );
    return {
      responsesPerSecond: fields.whole('responses-per-second', 1, 1_000_000) ?? 200,
      slip: fields.whole('slip', 0, 10) ?? 1,
      ipv4Prefix: fields.whole('ipv4-prefix', 1, 32) ?? 24,
      ipv6Prefix: fields.whole('ipv6-prefix', 1, 128) ?? 56,
      exempt: exempt.filter((prefix) => prefix !== undefined),
    };
  }

  #health(state: string): Settings['health'] {
    const fields = this.#section('health', [
      'max-concurrent',
      'blackout-hold',
      'exec',
      'files',
      'link-local',
      'webhooks',
    ]);
    const webhooks = fields.node('webhooks');
    const list =
      webhooks === undefined
        ? []
        : webhooks.kind === 'map'
          ? [webhooks]
          : readOneOrMore(this.#document, webhooks, 'webhooks');
    return {
      maxConcurrent: fields.whole('max-concurrent', 1, 10_000) ?? 500,
      blackoutHoldMs: (fields.seconds('blackout-hold', 0, DAY_SECONDS) ?? 60) * 1000,
      exec: fields.read('exec', readFlag) ?? false,
      files: this.#folders(fields, 'files', resolve(state, 'checks')),
      linkLocal: fields.read('link-local', readFlag) ?? false,
      webhooks: (list ?? []).map((node) => this.#webhook(node)).filter((webhook) => webhook !== undefined),
    };
  }

  /** One path or a list of them; an empty list is none. */
  #folders(fields: Fields, key: string, fallback: string): string[] {
    if (!fields.has(key)) return [fallback];
    const folders: string[] = [];
    for (const node of fields.read(key, readOneOrMore) ?? []) {
      const scalar = readScalar(this.#document, node, key, 'a path');
      if (scalar === undefined) continue;
      if (scalar.text !== '') folders.push(resolve(this.#directory, scalar.text));
      else this.#document.report('bad-path', scalar, `${key}: this is no path`, 'write a path, or remove it');
    }
    return folders;
  }

  /** A URL, or `{ url, secret-file }`. */
  #webhook(node: Node): WebhookSettings | undefined {
    if (node.kind !== 'map') {
      const url = readUrl(this.#document, node, 'a webhook');
      return url === undefined ? undefined : { url, secretFile: null };
    }
    const fields = new Fields(this.#document, node, 'a webhook', ['url', 'secret-file']);
    const url = fields.require('url', 'https://example.net/hook', readUrl);
    const secretFile = fields.has('secret-file') ? this.#path(fields, 'secret-file', '') : null;
    return url === undefined ? undefined : { url, secretFile };
  }
}
