// The control plane: starts everything in order, keeps it going, answers what admin asks, stops it.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { eventView } from '../api/event-view.ts';
import { StartError } from '../api/start-error.ts';
import {
  type ControlPlane,
  type CoverageRow,
  type EventView,
  type ExplainRequest,
  type Explanation,
  type ForceRequest,
  type ReloadView,
  RequestError,
  type StatusView,
  type TargetView,
  type ZoneDetail,
  type ZoneSummary,
} from '../api/views.ts';
import { formatAddress } from '../base/address.ts';
import { type Clock, systemRandom } from '../base/clock.ts';
import { formatDiagnostic } from '../base/diagnostic.ts';
import { collectHeap } from '../base/heap.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { PROGRAM_VERSION } from '../base/version.ts';
import { coverage } from '../explain/coverage.ts';
import { Explainer } from '../explain/explainer.ts';
import { loadCookieSecrets } from '../guard/secrets.ts';
import type { HealthEvent } from '../health/event.ts';
import { EventLog, type Recorded } from '../health/events.ts';
import { Monitor } from '../health/monitor.ts';
import type { FirstGeo } from '../loading/first-geo.ts';
import { Serving } from '../loading/serving.ts';
import { Notifier } from '../notify/notifier.ts';
import { Webhooks } from '../notify/webhooks.ts';
import type { AnswerSettings } from '../serve/answerer.ts';
import type { Settings } from '../settings/settings.ts';
import { Drains, longestTtlOf } from '../targets/drains.ts';
import { emptySets } from '../targets/fail-open.ts';
import { type Forced, ForcedStates } from '../targets/forced-states.ts';
import { Targets } from '../targets/targets.ts';
import { Reloads } from './reloads.ts';
import { statusView, zoneDetail, zoneSummary } from './status.ts';
import { Threads } from './threads.ts';

export interface ServerOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** Refuse to start when a file has errors. */
  readonly strict: boolean;
  readonly clock: Clock;
  /** Geography that is already being read. */
  readonly firstGeo?: FirstGeo;
}

/** Starts the server. Resolves when it answers; throws StartError with what to tell the operator. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const server = new Server(options);
  try {
    await server.start();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

export class Server implements ControlPlane {
  readonly #options: ServerOptions;
  readonly #settings: Settings;
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  readonly #serving: Serving;
  readonly #targets: Targets;
  readonly #forcedStates: ForcedStates;
  readonly #monitor: Monitor;
  readonly #events: EventLog<HealthEvent>;
  readonly #webhooks: Webhooks;
  readonly #reloads: Reloads;
  readonly #notifier: Notifier;
  #threads: Threads | null = null;
  #explainer: Explainer | null = null;
  #ready = false;
  #stopped = false;
  /** Record sets that failed open when it was last looked at. */
  #failOpen: ReadonlySet<string> = new Set();
  #cancelCollect = (): void => {};
  #cancelLook: (() => void) | null = null;

  constructor(options: ServerOptions) {
    const { settings, clock, log } = options;
    this.#options = options;
    this.#settings = settings;
    this.#clock = clock;
    this.#startedAtMs = clock.nowMs();
    try {
      mkdirSync(settings.state, { recursive: true, mode: 0o750 });
    } catch (error) {
      throw new StartError(`cannot make the state folder ${settings.state}: ${(error as Error).message}`);
    }
    this.#serving = new Serving({
      zonesDirectory: settings.zones,
      geoDirectory: settings.geoip.directory,
      overridesFile: settings.geoip.overrides,
      stateDirectory: settings.state,
      baseDirectory: settings.baseDirectory,
      execAllowed: settings.health.exec,
      ...(options.firstGeo === undefined ? {} : { firstGeo: options.firstGeo }),
      clock,
      log,
    });
    this.#events = new EventLog({ file: join(settings.state, 'events.jsonl'), log });
    this.#webhooks = new Webhooks({
      clock,
      random: systemRandom,
      log,
      hooks: settings.health.webhooks.map((hook) => ({
        url: hook.url,
        secret: hook.secretFile === null ? null : readWebhookSecret(hook.secretFile),
      })),
    });
    this.#targets = new Targets({
      board: this.#serving.board,
      rows: this.#serving.rows,
      forcedStates: () => this.#forcedStates,
      monitor: () => this.#monitor,
      drains: new Drains({
        file: join(settings.state, 'answered.json'),
        earlierRun: existsSync(join(settings.state, 'serials.json')),
        nowMs: this.#startedAtMs,
      }),
    });
    this.#forcedStates = new ForcedStates({
      file: join(settings.state, 'hand.json'),
      clock,
      log,
      onChange: () => {
        this.#targets.refresh();
        this.#lookAtFailOpen();
      },
    });
    this.#monitor = new Monitor({
      clock,
      random: systemRandom,
      log,
      maxConcurrent: settings.health.maxConcurrent,
      blackoutHoldMs: settings.health.blackoutHoldMs,
      allowExec: settings.health.exec,
      stateFile: join(settings.state, 'verdicts.json'),
      onHealth: (id, health) => this.#targets.onHealth(id, health),
      onEvent: (event) => this.#record(event),
    });
    this.#notifier = new Notifier({ listen: () => this.#threads?.listening ?? [], clock, log });
    this.#reloads = new Reloads({
      serving: this.#serving,
      targets: this.#targets,
      onPublished: ({ changed, removed }) => {
        this.#notify(changed);
        for (const zone of removed) this.#notifier.forget(zone);
      },
      clock,
      log,
    });
  }

  /** See startServer. */
  async start(): Promise<void> {
    const { settings, log } = this.#options;
    const { store } = this.#serving.images;
    const threads = new Threads({
      listen: settings.listen,
      workers: settings.workers ?? Math.min(availableParallelism(), limits.workers),
      realtime: settings.udp.realtime,
      answer: this.#answerSettings(),
      tcp: {
        ...settings.tcp,
        ipv4PrefixBits: settings.rateLimit?.ipv4Prefix ?? limits.clientPrefix4,
        ipv6PrefixBits: settings.rateLimit?.ipv6Prefix ?? limits.clientPrefix6,
      },
      memory: (reader) => this.#serving.rows.memory(reader, store, this.#serving.board),
      dropReader: (reader) => store.dropReader(reader),
      clock: this.#clock,
      log,
    });
    this.#threads = threads;
    this.#serving.onChunk((index, buffer) => threads.chunk(index, buffer));
    this.#serving.builder.onIdle = () => threads.trimHeap();
    store.onFree = (bytes) => threads.discard(bytes);
    threads.open();
    // Threads start while zones are read: until the first directory is published they are silent.
    await Promise.all([threads.start(), this.#firstLoad()]);
    await this.#firstRound();
    this.#serving.publish();
    this.#ready = true;
    this.#notify(this.#serving.zones.all.keys());
    this.#explainer = new Explainer(this.#serving, this.#targets);
    this.#reloads.watch();
    const zones = this.#serving.zones.all.size;
    this.#cancelCollect = this.#clock.after(limits.collectMs, () => {
      collectHeap();
      threads.trimHeap();
    });
    log.info({ event: 'ready', listen: this.listen, zones, realtime: threads.realtime }, 'answering');
  }

  async #firstLoad(): Promise<void> {
    const change = await this.#reloads.load();
    if (change.problem !== null) throw new StartError(change.problem);
    if (!this.#options.strict) return;
    const problems = this.#serving.geo?.problems ?? [];
    if (problems.length > 0) {
      const lines = problems.map((problem) => `${problem.file}: ${problem.message}`);
      throw new StartError([...lines, '--strict was given: not started'].join('\n'), 1);
    }
    const errors = this.#serving.diagnostics().filter((d) => d.severity === 'error');
    if (errors.length === 0) return;
    const lines = errors.map((d) => `${d.file}:${d.line}:${d.col}: ${d.code}: ${d.message}`);
    throw new StartError(
      [
        ...lines,
        `${errors.length} ${errors.length === 1 ? 'error' : 'errors'}, and --strict was given: not started`,
      ].join('\n'),
      1,
    );
  }

  /** Contract, section 6: answers begin when the first round of probes is in, 5 s after its start at most. */
  async #firstRound(): Promise<void> {
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      const now = this.#clock.monotonicMs();
      const begunMs = this.#reloads.probingSinceMs ?? now;
      cancel = this.#clock.after(Math.max(0, begunMs + limits.firstRoundMs - now), () => {
        this.#options.log.warn({ event: 'first-round-late' }, 'the first probes are not all in: unknown counts as up');
        resolve();
      });
    });
    await Promise.race([this.#monitor.firstRound(), late]);
    cancel();
  }

  /** Tells the secondaries of these zones what is published now. */
  #notify(zones: Iterable<string>): void {
    for (const name of zones) {
      const zone = this.#serving.zone(name);
      if (zone === undefined || zone.image === null || zone.serial === null) continue;
      const image = this.#serving.images.store.words(zone.image);
      const secondaries = zone.meta?.transfer?.notify ?? [];
      this.#notifier.announce({ name, serial: zone.serial, image, secondaries });
    }
  }

  #answerSettings(): AnswerSettings {
    const { udp, identity, tcp, rateLimit } = this.#settings;
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    return {
      udpMaxBytes: udp.maxSize,
      udpMaxBytesWithoutCookie: udp.maxSizeWithoutCookie,
      cookieSecrets: this.#cookieSecrets(),
      rate: rateLimit,
      nsid: text(identity.nsid),
      version: text(identity.version),
      hostname: text(identity.hostname),
      keepalive: Math.min(65_535, Math.floor(tcp.idleTimeoutMs / 100)),
    };
  }

  /** Cookie secrets are rotated in their file; one with mistakes changes nothing. */
  #rereadSecrets(): void {
    const { secrets, diagnostics } = loadCookieSecrets(this.#settings.cookies.secretFile, randomBytes);
    const errors = diagnostics.filter((d) => d.severity === 'error');
    if (errors.length === 0) this.#threads?.secrets(secrets);
    for (const d of errors) this.#options.log.error({ event: 'cookie-secrets', file: d.file, line: d.line }, d.message);
  }

  #cookieSecrets(): readonly Uint8Array[] {
    const { secrets, diagnostics } = loadCookieSecrets(this.#settings.cookies.secretFile, randomBytes);
    for (const d of diagnostics)
      this.#options.log.warn({ event: 'cookie-secrets', file: d.file, line: d.line }, d.message);
    const errors = diagnostics.filter((d) => d.severity === 'error');
    if (errors.length > 0) throw new StartError(errors.map(formatDiagnostic).join('\n'));
    return secrets;
  }

  /** Says in the log when a record set begins or ends to fail open; flips come in bunches, so it waits a moment. */
  #lookAtFailOpen(): void {
    this.#cancelLook ??= this.#clock.after(limits.failOpenLookMs, () => {
      this.#cancelLook = null;
      const now = new Set(this.zones().flatMap((zone) => zone.failOpen));
      for (const set of now) {
        if (this.#failOpen.has(set)) continue;
        this.#options.log.error(
          { event: 'fail-open', set },
          'fail-open active: nothing is live, so members are answered as if up',
        );
      }
      for (const set of this.#failOpen) {
        if (!now.has(set)) this.#options.log.info({ event: 'fail-open-end', set }, 'fail-open ended');
      }
      this.#failOpen = now;
    });
  }

  /** Keeps and sends on what the monitor has already logged. */
  #record(event: HealthEvent): void {
    this.#lookAtFailOpen();
    const recorded = this.#events.add(event);
    this.#webhooks.send(eventView(recorded));
  }

  /** Stops within a second: what was read is answered, what must outlive is stored. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ready = false;
    this.#reloads.stop();
    this.#notifier.stop();
    this.#forcedStates.stop();
    this.#cancelLook?.();
    this.#cancelCollect();
    this.#webhooks.stop();
    await Promise.all([this.#threads?.stop(), this.#monitor.stop(), this.#serving.stop()]);
    this.#leaveNotes();
    this.#events.close();
  }

  /** Whether threads are at work that may hang: then the process can't end in the usual way. */
  get busy(): boolean {
    return this.#serving.builder.busy;
  }

  /** A full disk must not keep the server from ending. */
  #leaveNotes(): void {
    try {
      this.#targets.leave(this.#clock.nowMs());
    } catch (error) {
      this.#options.log.warn(
        { event: 'answered-unsaved', error: String(error) },
        'what was answered could not be stored',
      );
    }
  }

  /** Addresses that are listened on, with their real ports. */
  get listen(): string[] {
    return (this.#threads?.listening ?? []).map(({ address, port }) =>
      address.family === 4 ? `${formatAddress(address)}:${port}` : `[${formatAddress(address)}]:${port}`,
    );
  }

  ready(): boolean {
    return this.#ready;
  }

  status(): StatusView {
    return statusView({
      serving: this.#serving,
      targets: this.#targets,
      monitor: this.#monitor,
      notifier: this.#notifier,
      version: PROGRAM_VERSION,
      startedAtMs: this.#startedAtMs,
      nowMs: this.#clock.nowMs(),
      ready: this.#ready,
      listen: this.listen,
      admin: this.#settings.admin.listen.text,
      dataThreads: this.#threads?.dataThreads ?? 0,
      udp: this.#threads?.udp ?? 'dgram',
      problems: [this.#reloads.problem ?? [], this.#serving.problems()].flat(),
    });
  }

  health(): { targets: TargetView[] } {
    return { targets: this.#targets.views(this.#clock.nowMs()) };
  }

  zones(): ZoneSummary[] {
    return [...this.#serving.zones.all.values()].map((zone) => zoneSummary(zone, this.#serving));
  }

  zone(name: string): ZoneDetail | undefined {
    const zone = this.#serving.zone(name);
    return zone && zoneDetail(zone, this.#serving, this.#notifier);
  }

  explain(request: ExplainRequest): Explanation {
    if (this.#explainer === null) throw new RequestError(409, 'not-ready', 'the server has nothing to answer from yet');
    return this.#explainer.explain(request);
  }

  coverage(name: string, type: string): { rows: CoverageRow[] } {
    if (this.#explainer === null) throw new RequestError(409, 'not-ready', 'the server has nothing to answer from yet');
    return { rows: coverage(this.#explainer, name, type) };
  }

  async reload(): Promise<ReloadView> {
    this.#rereadSecrets();
    const change = await this.#reloads.reloadAll();
    const diagnostics = this.#serving.diagnostics();
    return {
      zones: this.zones(),
      changed: change.changed,
      removed: change.removed,
      errors: diagnostics.filter((d) => d.severity === 'error'),
      warnings: diagnostics.filter((d) => d.severity === 'warning'),
    };
  }

  forceTarget(id: string, request: ForceRequest): { target: TargetView; emptied: string[] } {
    this.#mustExist(id);
    const { zone, pool } = this.#targets.get(id)!;
    this.#forcedStates.force(id, this.#forced(request, zone, pool));
    this.#logForced(id, request.state, request.reason, request.by);
    return { target: this.#view(id), emptied: this.#emptied() };
  }

  unforceTarget(id: string, by: string): { target: TargetView } {
    this.#mustExist(id);
    if (this.#forcedStates.unforce(id)) this.#logForced(id, 'none', '', by);
    return { target: this.#view(id) };
  }

  forcePool(zone: string, pool: string, request: ForceRequest): { targets: TargetView[]; emptied: string[] } {
    const ids = this.#mustHavePool(zone, pool);
    this.#forcedStates.force(`${zone}/${pool}`, this.#forced(request, zone, pool));
    this.#logForced(`${zone}/${pool}`, request.state, request.reason, request.by);
    return { targets: ids.map((id) => this.#view(id)), emptied: this.#emptied() };
  }

  unforcePool(zone: string, pool: string, by: string): { targets: TargetView[] } {
    const ids = this.#mustHavePool(zone, pool);
    if (this.#forcedStates.unforce(`${zone}/${pool}`)) this.#logForced(`${zone}/${pool}`, 'none', '', by);
    return { targets: ids.map((id) => this.#view(id)) };
  }

  freeze(forMs: number | null, reason: string, by: string): StatusView['health']['frozen'] {
    if (forMs === 0) this.#monitor.thaw(by);
    else this.#monitor.freeze(forMs === null ? null : this.#clock.nowMs() + forMs, reason, by);
    return this.status().health.frozen;
  }

  events(limit: number): EventView[] {
    return this.#events.list(0, limit).map(eventView);
  }

  onEvent(listener: (event: EventView) => void): () => void {
    return this.#events.subscribe((event: Recorded<HealthEvent>) => listener(eventView(event)));
  }

  #forced(request: ForceRequest, zone: string, pool: string): Forced {
    const now = this.#clock.nowMs();
    const untilMs = request.forMs === null ? null : now + request.forMs;
    const forced = { state: request.state, untilMs, reason: request.reason, by: request.by, sinceMs: now };
    if (request.state !== 'drain') return forced;
    const metas = [...this.#serving.zones.all.values()].flatMap((served) => served.meta ?? []);
    return { ...forced, longestTtlSeconds: longestTtlOf(metas, zone, pool) };
  }

  #logForced(what: string, state: string, reason: string, by: string): void {
    this.#options.log.warn({ event: 'hand', what, state, reason, by }, 'forced by hand');
  }

  #mustExist(id: string): void {
    if (this.#targets.get(id) === undefined) {
      throw new RequestError(404, 'unknown-target', `there is no target ${id}: GET /api/v1/health lists them`);
    }
  }

  #mustHavePool(zone: string, pool: string): string[] {
    const ids = this.#targets.ofPool(zone, pool);
    if (ids.length === 0) throw new RequestError(404, 'unknown-pool', `there is no pool ${zone}/${pool} with members`);
    return ids;
  }

  #view(id: string): TargetView {
    return this.#targets.view(id, this.#clock.nowMs())!;
  }

  #emptied(): string[] {
    return [...this.#serving.zones.all.values()].flatMap((zone) =>
      zone.meta === null ? [] : emptySets(zone.name, zone.meta, this.#serving.board),
    );
  }
}

function readWebhookSecret(file: string): Uint8Array {
  try {
    return new Uint8Array(Buffer.from(readFileSync(file, 'utf8').trim()));
  } catch (error) {
    throw new StartError(`cannot read the webhook secret ${file}: ${(error as Error).message}`);
  }
}
