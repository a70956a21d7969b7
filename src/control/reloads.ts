// Brings what is served up to date with the disk: one load at a time, however many ask for it.
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { LoadChange, Serving } from '../loading/serving.ts';
import { Watch } from '../loading/watch.ts';
import type { Targets } from '../targets/targets.ts';

export interface ReloadsOptions {
  readonly serving: Serving;
  readonly targets: Targets;
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
  /** Since when targets are probed, on the monotonic clock; null: not yet. */
  probingSinceMs: number | null = null;
  /** Why the zones folder can't be followed; null: it can. */
  problem: string | null = null;

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#watch = new Watch(options.clock, () => this.#look());
  }

  /** Follows the folders from now on, and looks at once for what changed since they were read. */
  watch(): void {
    this.#watch.set(this.#folders());
    this.#look();
  }

  #look(): void {
    if (this.#stopped) return;
    this.reload().catch((error: unknown) => {
      const { log } = this.#options;
      log.error({ event: 'reload-failed', error: String(error) }, 'a reload failed: everything stands as it was');
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#watch.stop();
    this.#cancelLook?.();
  }

  /** Loads what changed and tells the targets; the caller publishes. */
  async load(): Promise<LoadChange> {
    const change = await this.#options.serving.load(() => this.#setTargets());
    this.problem = change.problem;
    return change;
  }

  #setTargets(): void {
    const { serving, targets, clock } = this.#options;
    const metas = [...serving.zones.all.values()].flatMap((zone) => zone.meta ?? []);
    const gone = targets.set(
      metas.flatMap((meta) => meta.targets),
      metas.flatMap((meta) => meta.pools),
    );
    serving.forgetLater(gone);
    this.probingSinceMs ??= clock.monotonicMs();
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
