// The control plane as a whole: started in order, asked by the admin and the commands, stopped within a second.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane, CoverageTold, ReloadTold, StatusTold } from '../api/control-plane.ts';
import { eventView } from '../api/event-view.ts';
import {
  type EventView,
  type ExplainRequest,
  type Explanation,
  type ForceRequest,
  type NumbersView,
  type PoolForced,
  RequestError,
  type StatusView,
  type TargetForced,
  type TargetView,
  type ZoneDetail,
  type ZoneSummary,
} from '../api/views.ts';
import { formatAddress } from '../base/address.ts';
import { collectHeap } from '../base/heap.ts';
import { limits } from '../base/limits.ts';
import { finish, inSlices, Slices } from '../base/slices.ts';
import { PROGRAM_VERSION } from '../base/version.ts';
import { coverage } from '../explain/coverage.ts';
import { Explainer } from '../explain/explainer.ts';
import { oldDatabases } from '../geo/age.ts';
import { announceZones } from './announce.ts';
import { answerSettings } from './answer-settings.ts';
import { agreeOnFreeze, firstLoad, firstRound } from './first-round.ts';
import { loggedNames } from './logged-names.ts';
import { numbersView } from './numbers.ts';
import type { ServerParts } from './server-parts.ts';
import { statusView, zoneDetail, zoneSummaries } from './status.ts';
import { Succession } from './succession.ts';
import { UnreachedRules } from './unreached-rules.ts';

export class Server implements ControlPlane {
  readonly #parts: ServerParts;
  readonly #unreached = new UnreachedRules();
  #explainer: Explainer | null = null;
  #ready = false;
  #stopped = false;
  #cancelCollect = (): void => {};

  readonly succession: Succession;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.succession = new Succession(parts);
  }

  /** Resolves when it answers; throws StartError with what to tell the operator. Stop it then too. */
  async start(): Promise<void> {
    const { settings, serving, threads, targets, health, notifier, reloads, storage, clock, log } = this.#parts;
    const { takeover, geoipUpdates, queryLog } = this.#parts;
    if (takeover === null) this.#restore();
    else this.succession.takeUp(await takeover.first());
    serving.restore();
    storage.start();
    serving.onChunk((index, buffer) => threads.chunk(index, buffer));
    serving.builder.onIdle = () => threads.trimHeap();
    serving.images.store.onFree = (bytes) => threads.discard(bytes);
    health.start();
    queryLog?.start();
    const answer = answerSettings(settings, this.#parts.cookies.first(), this.#parts.steadyEpochMs);
    if (takeover === null) {
      threads.open(this.#parts.given);
      // Threads start while zones are read: until the first directory is published they are silent.
      await Promise.all([threads.start(answer), firstLoad(this.#parts)]);
      await firstRound(this.#parts);
      await this.#begin();
    } else {
      await firstLoad(this.#parts);
      await firstRound(this.#parts);
      this.succession.takeUp(await takeover.last());
      this.#restore();
      agreeOnFreeze(this.#parts.health);
      targets.refresh();
      await this.#begin();
      // The old one reads the same sockets until it is told: nothing may be read here that can't be answered.
      threads.sharers++;
      takeover.onGone = () => {
        threads.sharers--;
      };
      threads.open(takeover.sockets.filter(({ name }) => name === 'dns'));
      takeover.use(threads.descriptors);
      await threads.start(answer);
    }
    this.#ready = true;
    announceZones(notifier, serving, serving.zones.all.keys());
    this.#explainer = new Explainer(serving, targets);
    reloads.watch();
    serving.keepAgain(() => reloads.reload());
    this.#cancelCollect = clock.after(limits.collectMs, () => {
      collectHeap();
      threads.trimHeap();
    });
    if (this.#stopped) return;
    geoipUpdates.start();
    for (const sentence of oldDatabases(serving.geo?.sources ?? [], clock.nowMs())) {
      log.warn({ event: 'geo-old' }, sentence);
    }
    const zones = serving.zones.all.size;
    log.info({ event: 'ready', listen: this.listen, zones, realtime: threads.realtime }, 'answering');
  }

  /** The admin has this port now: probes leave it alone. */
  adminListens(port: number): void {
    const { health, settings } = this.#parts;
    health.leaveAlone({ address: formatAddress(settings.admin.listen.address), port });
  }

  /** From now on what is loaded is answered. */
  async #begin(): Promise<void> {
    const { drains, queryLog, serving } = this.#parts;
    await drains.begin();
    queryLog?.names({ sinceMs: 0, zones: [...serving.zones.all.values()].map(loggedNames) });
    serving.publish();
  }

  /** Takes up what the run before left in state/, as far as it can be read. */
  #restore(): void {
    const { settings, events, forcedStates, drains } = this.#parts;
    events.load();
    forcedStates.load();
    drains.load(existsSync(join(settings.state, 'serials.json')));
  }

  /** After an unexpected error: whatever it broke off (a look at the folders, a write to the board) is done again. */
  recover(): void {
    if (!this.#ready) return;
    const { targets, alarms, reloads } = this.#parts;
    targets.refresh();
    alarms.look();
    reloads.reload().catch(() => {});
  }

  /** Stops within a second: what was read is answered, what must outlive is stored. */
  async stop(): Promise<void> {
    if (!this.#quiet()) return;
    const { serving, threads, forcedStates, health, events } = this.#parts;
    const answering = this.#logAfter(threads.stop());
    await Promise.all([answering, health.stop(), serving.stop(), forcedStates.stop()]);
    await this.#parts.targets.leave(this.#parts.steadyMs());
    await this.#parts.cookies.stop();
    await events.close();
  }

  /** As `stop`, when another process answers already: open TCP connections go on for a while, and nothing is stored. */
  async leave(onUdp: () => void): Promise<void> {
    if (!this.#quiet()) return;
    const { serving, threads, health } = this.#parts;
    const answering = this.#logAfter(threads.leave(limits.retiredConnectionsMs, onUdp));
    await Promise.all([answering, health.stop(), serving.stop()]);
  }

  /** Ends what goes on by itself. Returns false when that was done already. */
  #quiet(): boolean {
    if (this.#stopped) return false;
    this.#stopped = true;
    this.#ready = false;
    const { watchdog, reloads, notifier, webhooks, alarms, storage, geoipUpdates } = this.#parts;
    watchdog.stop();
    reloads.stop();
    notifier.stop();
    storage.stop();
    alarms.stop();
    geoipUpdates.stop();
    this.#cancelCollect();
    webhooks.stop();
    return true;
  }

  /** The query log ends with what the last answers left in it. */
  async #logAfter(answering: Promise<void>): Promise<void> {
    await answering;
    await this.#parts.queryLog?.stop();
  }

  /** Whether threads are at work that may hang: then the process can't end in the usual way. */
  get busy(): boolean {
    return this.#parts.serving.builder.busy;
  }

  /** Addresses that are listened on, with their real ports. */
  get listen(): string[] {
    return this.#parts.threads.listening.map(({ address, port }) =>
      address.family === 4 ? `${formatAddress(address)}:${port}` : `[${formatAddress(address)}]:${port}`,
    );
  }

  ready(): boolean {
    return this.#ready;
  }

  status(slices: Slices): Promise<StatusTold> {
    const { serving, threads, reloads, settings, clock, geoipUpdates, errors, droppedLines, queryLog } = this.#parts;
    const parts = {
      ...this.#parts,
      version: PROGRAM_VERSION,
      nowMs: clock.nowMs(),
      ready: this.#ready,
      listen: this.listen,
      admin: settings.admin.listen.text,
      dataThreads: threads.dataThreads,
      udp: threads.udp,
      ownCounters: {
        internalErrors: errors.count,
        logDropped: droppedLines(),
        queryLogWritten: queryLog?.counts.written ?? 0,
        queryLogDropped: queryLog?.counts.dropped ?? 0,
      },
      problems: [reloads.problem ?? [], serving.problems(), queryLog?.problem ?? []].flat(),
      updates: geoipUpdates.views(),
      unreached: this.#unreached,
    };
    return statusView(parts, slices);
  }

  numbers(): NumbersView {
    return numbersView(this.#parts.serving);
  }

  targets(): Iterable<TargetView> {
    return this.#parts.targets.views(this.#parts.steadyMs);
  }

  zones(slices: Slices): AsyncIterable<ZoneSummary> {
    return zoneSummaries(this.#parts, slices);
  }

  async zone(name: string, slices: Slices): Promise<ZoneDetail | undefined> {
    const zone = this.#parts.serving.zone(name);
    return zone && zoneDetail(zone, this.#parts, slices);
  }

  hasZone(name: string): boolean {
    return this.#parts.serving.zone(name) !== undefined;
  }

  get servedZones(): readonly Pick<ZoneSummary, 'name' | 'file' | 'state'>[] {
    return [...this.#parts.serving.zones.all.values()];
  }

  get oldDatabases(): readonly string[] {
    return oldDatabases(this.#parts.serving.geo?.sources ?? [], this.#parts.clock.nowMs());
  }

  explain(request: ExplainRequest): Explanation {
    return this.#mustBeReady().explain(request);
  }

  async coverage(name: string, type: string, slices: Slices): Promise<CoverageTold> {
    const { rows, rest } = coverage(this.#mustBeReady(), name, type);
    return { rows: inSlices(rows, slices), ...(await finish(rest, slices)) };
  }

  #mustBeReady(): Explainer {
    if (this.#explainer === null) throw new RequestError(409, 'not-ready', 'the server has nothing to answer from yet');
    return this.#explainer;
  }

  async reload(slices: Slices = new Slices()): Promise<ReloadTold> {
    const { serving, threads, reloads, cookies, queryLog } = this.#parts;
    queryLog?.reopen();
    const secrets = await cookies.again();
    if (secrets !== null) threads.secrets(secrets);
    const change = await reloads.reloadAll();
    const diagnostics = serving.diagnostics();
    return {
      zones: this.zones(slices),
      changed: change.changed,
      removed: change.removed,
      errors: diagnostics.filter((d) => d.severity === 'error'),
      warnings: diagnostics.filter((d) => d.severity === 'warning'),
    };
  }

  async forceTarget(id: string, request: ForceRequest, slices: Slices): Promise<TargetForced> {
    this.succession.mayChange();
    return this.#parts.operator.forceTarget(id, request, slices);
  }

  async unforceTarget(id: string, by: string): Promise<Omit<TargetForced, 'emptied'>> {
    this.succession.mayChange();
    return this.#parts.operator.unforceTarget(id, by);
  }

  async forcePool(zone: string, pool: string, request: ForceRequest, slices: Slices): Promise<PoolForced> {
    this.succession.mayChange();
    return this.#parts.operator.forcePool(zone, pool, request, slices);
  }

  async unforcePool(zone: string, pool: string, by: string): Promise<Omit<PoolForced, 'emptied'>> {
    this.succession.mayChange();
    return this.#parts.operator.unforcePool(zone, pool, by);
  }

  freeze(forMs: number | null, reason: string, by: string): StatusView['health']['frozen'] {
    this.succession.mayChange();
    return this.#parts.operator.freeze(forMs, reason, by);
  }

  *events(most: number): Generator<EventView> {
    for (const event of this.#parts.events.list(0, most)) yield eventView(event);
  }

  eventsAfter(id: number, most: number): EventView[] {
    return this.#parts.events.after(id, most).map(eventView);
  }

  onEvent(listener: (event: EventView) => void): () => void {
    return this.#parts.events.subscribe((event) => listener(eventView(event)));
  }
}
