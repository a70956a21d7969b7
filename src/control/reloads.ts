// Brings what is served up to date with the disk: one load at a time, however many ask for it.
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { HealthClient } from '../health/client.ts';
import type { LoadChange, Serving } from '../loading/serving.ts';
import { Watch } from '../loading/watch.ts';
import type { Targets } from '../targets/targets.ts';

export interface ReloadsOptions {
  readonly serving: Serving;
  readonly targets: Targets;
  readonly health: HealthClient;
  /** Called after a change was published. */
  readonly onPublished: (change: LoadChange) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Reloads {
  readonly #options: ReloadsOptions;
  readonly #watch: Watch;
  #running: Promise<unknown> = Promise.resolve();
  #waiting: Promise<LoadChange> | null = null;
  #cancelLook: (() => void) | null = null;
  #stopped = false;
  #unpublished = false;
  #watching = false;
  #loading = false;
  /** Since when targets are probed, on the monotonic clock; null: not yet. */
  probingSinceMs: number | null = null;
  /** Why the zones folder can't be followed; null: it can. */
  problem: string | null = null;

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#watch = new Watch(options.clock, () => this.#look());
    options.serving.geography.onReady = () => this.#hear();
    options.serving.zones.builds.onReady = () => this.#hear();
  }

  /** Follows the folders from now on, and looks at once for what changed since they were read. */
  watch(): void {
    this.#watching = true;
    this.#watch.set(this.#folders());
    void this.#look();
  }

  async #look(): Promise<void> {
    if (this.#stopped) return;
    try {
      await this.reload();
    } catch (error) {
      const { log } = this.#options;
      log.error({ event: 'reload-failed', error: String(error) }, 'a reload failed: everything stands as it was');
    }
  }

  /** Something that took long is ready; the load that began it takes what comes while it waits. */
  #hear(): void {
    if (this.#watching && !this.#loading) void this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#watch.stop();
    this.#cancelLook?.();
  }

  /** Loads what changed and tells the targets; the caller publishes. */
  async load(): Promise<LoadChange> {
    const { serving, health } = this.#options;
    this.#loading = true;
    try {
      const change = await serving.load(() => this.#setTargets());
      // So that a target that is new to a running server is published with what is known of it.
      await health.taken();
      this.problem = change.problem;
      // What became ready after it was looked for.
      if (this.#watching && (serving.zones.builds.ready || serving.geography.ready)) void this.#look();
      return change;
    } finally {
      this.#loading = false;
    }
  }

  #setTargets(): void {
    const { serving, targets, health, clock } = this.#options;
    const metas = [...serving.zones.all.values()].flatMap((zone) => zone.meta ?? []);
    const gone = targets.set(
      metas.flatMap((meta) => meta.targets),
      metas.flatMap((meta) => meta.pools),
    );
    // Before that it may still write to their places on the board.
    health.whenTaken(() => serving.forgetLater(gone));
    this.probingSinceMs ??= clock.monotonicMs();
  }

  /** As `reload`, with everything that takes long: resolves when new geography is served too. */
  async reloadAll(): Promise<LoadChange> {
    const { geography, zones } = this.#options.serving;
    const change = await this.reload();
    await Promise.all([geography.settled(), zones.builds.settled()]);
    const more = await this.reload();
    return {
      ...more,
      changed: [...new Set([...change.changed, ...more.changed])],
      removed: [...change.removed, ...more.removed],
      geoChanged: change.geoChanged || more.geoChanged,
    };
  }

  /** Loads and publishes. Calls that come while one waits share it. */
  reload(): Promise<LoadChange> {
    if (this.#waiting !== null) return this.#waiting;
    const next = this.#running.then(async () => {
      this.#waiting = null;
      return this.#reload();
    });
    this.#waiting = next;
    this.#running = next.catch(() => {});
    return next;
  }

  async #reload(): Promise<LoadChange> {
    const { serving, onPublished, clock, log } = this.#options;
    serving.tidy();
    if (this.#stopped) throw new Error('the server is stopping');
    // A load that failed half way has taken in what the next one will not see as changed.
    const unpublished = this.#unpublished;
    this.#unpublished = true;
    const change = await this.load();
    if (unpublished || change.changed.length > 0 || change.removed.length > 0 || change.geoChanged) {
      serving.publish();
      log.info(
        { event: 'reloaded', changed: change.changed, removed: change.removed, geo: change.geoChanged },
        'reloaded',
      );
      onPublished(change);
      if (change.geoChanged) this.#watch.set(this.#folders());
    }
    this.#unpublished = false;
    this.#cancelLook?.();
    this.#cancelLook =
      change.lookAgainMs === null
        ? null
        : clock.after(change.lookAgainMs + 1, () => void this.reload().catch(() => {}));
    return change;
  }

  /** Folders of everything that was read: files are replaced in their folder. */
  #folders(): string[] {
    return this.#options.serving.watchedFolders;
  }
}
