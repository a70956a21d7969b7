// The zones that are being built: what is quick is waited for, what is large comes when it is ready.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { CommonResult, ZoneResult, ZonesRequest } from './build.ts';
import type { Builder } from './builder.ts';
import type { FolderContent, Signature } from './zone-files.ts';

/** A zone that was built, of a file with this signature, beside a `_common.yaml` in this state. */
export interface FinishedZone {
  readonly result: ZoneResult;
  readonly signature: Signature;
  readonly commonState: string;
}

export class ZoneBuilds {
  readonly #builder: Builder;
  readonly #clock: Clock;
  readonly #building = new Set<string>();
  readonly #builds = new Set<Promise<void>>();
  #finished: FinishedZone[] = [];
  #first = true;
  /** Told when a build is through. */
  onReady: () => void = () => {};

  constructor(builder: Builder, clock: Clock) {
    this.#builder = builder;
    this.#clock = clock;
  }

  /** Whether the zone is being built. */
  has(name: string): boolean {
    return this.#building.has(name);
  }

  /** Whether zones are built that nobody has taken. */
  get ready(): boolean {
    return this.#finished.length > 0;
  }

  /** What was built since the last time. */
  take(): FinishedZone[] {
    return this.#finished.splice(0);
  }

  /** Begins to build. @param onCommon told what became of `_common.yaml` */
  start(
    request: Omit<ZonesRequest, 'kind'>,
    content: FolderContent,
    commonState: string,
    onCommon: (common: CommonResult) => void,
  ): void {
    // What is quick comes first: a large zone holds nothing back.
    const jobs = [...request.jobs].sort((a, b) => sizeOf(content, a.name) - sizeOf(content, b.name));
    for (const { name } of jobs) this.#building.add(name);
    const build: Promise<void> = this.#builder
      .zones({ ...request, jobs }, (result) => {
        this.#building.delete(result.job.name);
        const { signature } = content.zones.get(result.job.name)!;
        this.#finished.push({ result, signature, commonState });
      })
      .then(onCommon)
      .finally(() => {
        for (const { name } of jobs) this.#building.delete(name);
        this.#builds.delete(build);
        this.onReady();
      });
    // Whoever waits hears of a failure; later the next load tries again.
    build.catch(() => {});
    this.#builds.add(build);
  }

  /** Waits for what is built: the first time for all, else no longer than a small zone takes. Rejects when a build fails meanwhile. */
  async wait(): Promise<void> {
    const all = Promise.all(this.#builds);
    if (this.#first) {
      await all;
      this.#first = false;
      return;
    }
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.after(limits.slowZoneMs, resolve);
    });
    try {
      await Promise.race([all, late]);
    } finally {
      cancel();
    }
  }

  /** Resolves when no zone is being built. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#builds);
  }
}

/** Octets of a zone's file. */
function sizeOf(content: FolderContent, name: string): number {
  return Number(content.zones.get(name)!.signature.split(':')[1] ?? 0);
}
