// Hands work to builder threads, which come when there is some and end when there is none, and are given up when one file is too much for them.

import { availableParallelism, totalmem } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { SegmentRef, StoreHandle } from '../board/store.ts';
import type { GeoFacts } from '../geo/open.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import type {
  BuildReply,
  BuildRequest,
  CommonResult,
  GeoRequest,
  MapResult,
  PlaceRequest,
  ZoneResult,
  ZonesRequest,
} from './build.ts';
import { buildFailed } from './build-zone.ts';

/** Why a thread didn't finish its request: at which step, and a sentence about it. */
interface Stopped {
  readonly what: string;
  readonly message: string;
}

/** What a builder may take; the limits' unless told. */
export interface BuilderBounds {
  /** Heap of a thread, MiB. */
  readonly heapMb?: number;
}

/** Geography that a thread has built and still holds. */
export interface BuiltGeo {
  readonly geo: GeoFacts;
  /** Bytes of its image. */
  readonly bytes: number;
  /**
   * Lets the thread write the image into shared memory (null: drop it), and go. To be called once. Resolves to whether it is whole: one that
   * was kept may be damaged.
   */
  place(at: PlaceRequest['at']): Promise<boolean>;
}

export class Builder {
  readonly #clock: Clock;
  readonly #heapMb: number;
  #idle: { worker: Worker; cancel: () => void } | null = null;
  /** Threads that were told to end and have not: what they read from doesn't answer. */
  readonly #lost = new Map<Worker, string>();
  readonly #busy = new Set<Worker>();
  /** Called when the last builder thread has ended. */
  onIdle: () => void = () => {};
  /** Told what became of keeping geography in state/, and how large it is; null: it is there, or needn't be. */
  onKept: (problem: string | null, bytes: number) => void = () => {};

  constructor(clock: Clock, bounds: BuilderBounds = {}) {
    this.#clock = clock;
    this.#heapMb = bounds.heapMb ?? builderHeapMb();
  }

  /** Whether a thread still hangs on this file. */
  hangsOn(file: string): boolean {
    return [...this.#lost.values()].includes(file);
  }

  /** Whether threads are at work, or hang: a process with one that hangs can't end in the usual way. */
  get busy(): boolean {
    return this.#lost.size + this.#busy.size > 0;
  }

  /** Builds zones; calls back for each as it is ready. Many of them are spread over threads. Returns what `_common` is like. */
  async zones(request: Omit<ZonesRequest, 'kind'>, onZone: (result: ZoneResult) => void): Promise<CommonResult> {
    let common: CommonResult = { good: true, diagnostics: [] };
    const threads = Math.max(
      1,
      Math.min(availableParallelism(), limits.builderThreads, Math.ceil(request.jobs.length / limits.builderZones)),
    );
    const parts = Array.from({ length: threads }, (_, i) => request.jobs.filter((_, k) => k % threads === i));
    await Promise.all(
      parts.map((jobs) =>
        this.#zones({ ...request, kind: 'zones', jobs }, onZone, (result) => {
          common = result;
        }),
      ),
    );
    return common;
  }

  /** One thread after another until every job has its result: each that stops costs the file that it stopped at. */
  async #zones(
    request: ZonesRequest,
    onZone: (result: ZoneResult) => void,
    onCommon: (result: CommonResult) => void,
  ): Promise<void> {
    let rest = request;
    for (;;) {
      let done = 0;
      let commonDone = false;
      const stopped = await this.#run(rest, (message) => {
        if (message.kind === 'zone') {
          done++;
          onZone(message.result);
        } else if (message.kind === 'common') {
          commonDone = true;
          onCommon(message.result);
        }
      });
      if (stopped === null) return;
      // It came to no file at all: no thread can be started, for one, which may pass.
      if (stopped.what === '') throw new Error(stopped.message);
      if (!commonDone) {
        const again = rest.commonProblem !== null;
        // With nothing of it left to read it can't be the culprit.
        if (rest.common === null || (again && rest.lastGoodCommon === null)) throw new Error(stopped.message);
        const commonProblem = buildFailed(rest.common.file, stopped.message);
        // A second time it was the last good one that did it.
        rest = { ...rest, commonProblem, lastGoodCommon: again ? null : rest.lastGoodCommon };
        continue;
      }
      const [culprit, ...others] = rest.jobs.slice(done);
      if (culprit === undefined) return;
      const problem = buildFailed(culprit.file, `this zone can't be built: ${stopped.message}`);
      if (culprit.problem === null) rest = { ...rest, jobs: [{ ...culprit, problem }, ...others] };
      else {
        // Even what is kept of it is too much.
        onZone({ job: culprit, outcome: 'error', key: '', compiled: null, diagnostics: [culprit.problem] });
        rest = { ...rest, jobs: others };
      }
    }
  }

  /** Region maps for a geo image that is in the store, each by itself. */
  async maps(specs: readonly MapSpec[], store: StoreHandle, geo: SegmentRef): Promise<readonly MapResult[]> {
    const results: MapResult[] = [];
    while (results.length < specs.length) {
      const stopped = await this.#run({ kind: 'maps', specs: specs.slice(results.length), store, geo }, (message) => {
        if (message.kind === 'map') results.push({ image: message.image, problem: null });
      });
      if (stopped?.what === '') throw new Error(stopped.message);
      if (stopped !== null) results.push({ image: null, problem: stopped.message });
    }
    return results;
  }

  /** Geography; a database that can't be read within bounds is left out, with a problem. */
  async geo(request: Omit<GeoRequest, 'kind'>): Promise<BuiltGeo> {
    let refused = request.files.refused ?? [];
    for (;;) {
      const outcome = await this.#geo({ ...request, kind: 'geo', files: { ...request.files, refused } });
      if ('place' in outcome) return outcome;
      const { what, message } = outcome;
      if (what === '' || refused.some(({ file }) => file === what)) throw new Error(message);
      refused = [...refused, { file: what, message }];
    }
  }

  #geo(request: GeoRequest): Promise<BuiltGeo | Stopped> {
    return new Promise((resolve, reject) => {
      let placed = (_: boolean): void => {};
      let failed = (_: Error): void => {};
      const ended = this.#run(request, (message, post) => {
        if (message.kind === 'placed') placed(message.whole);
        else if (message.kind === 'kept') this.onKept(message.problem, message.bytes);
        else if (message.kind === 'geo') {
          const { geo, bytes } = message;
          const place = (at: PlaceRequest['at']): Promise<boolean> =>
            new Promise((done, reject) => {
              placed = done;
              failed = reject;
              post({ kind: 'place', at });
            });
          resolve({ geo, bytes, place });
        }
      });
      ended.then((stopped) => {
        if (stopped === null) return;
        failed(new Error(stopped.message));
        resolve(stopped);
      }, reject);
    });
  }

  /** Ends the thread that waits for more. */
  async stop(): Promise<void> {
    const idle = this.#idle;
    this.#idle = null;
    if (idle === null) return;
    idle.cancel();
    await idle.worker.terminate();
    this.onIdle();
  }

  /** Runs a request to its end. Returns where and why it stopped before; null: it is done. */
  #run(
    request: BuildRequest,
    onReply: (message: BuildReply, post: (more: BuildRequest) => void) => void,
  ): Promise<Stopped | null> {
    if (this.#lost.size >= limits.hungBuilders) {
      const files = [...new Set(this.#lost.values())].join(', ');
      return Promise.reject(new Error(`nothing is built while these files don't answer: ${files}`));
    }
    const worker = this.#take();
    this.#busy.add(worker);
    return new Promise((resolve) => {
      let what = '';
      let cancel = (): void => {};
      const settle = (message: string | null): void => {
        cancel();
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        this.#busy.delete(worker);
        if (message === null) {
          this.#giveBack(worker);
          resolve(null);
        } else {
          this.#giveUp(worker, what);
          resolve({ what, message });
        }
      };
      const onMessage = (message: BuildReply): void => {
        if (message.kind === 'done') settle(null);
        else if (message.kind === 'failed') settle(message.error);
        else if (message.kind === 'step') {
          what = message.what;
          cancel();
          cancel = () => {};
          if (message.withinMs === null) return;
          const { withinMs } = message;
          cancel = this.#clock.after(withinMs, () => settle(`it takes more than ${Math.ceil(withinMs / 1000)} s`));
        } else onReply(message, (more) => worker.postMessage(more));
      };
      const onError = (error: NodeJS.ErrnoException): void => {
        const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
        settle(memory ? 'it takes more memory than there is for it' : String(error.stack));
      };
      const onExit = (code: number): void => settle(`the builder thread ended with ${code}`);
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.ref();
      worker.postMessage(request);
    });
  }

  /** Ends a thread. One that hangs in a call to the file system can't end before that comes back. */
  #giveUp(worker: Worker, what: string): void {
    this.#lost.set(worker, what);
    worker.unref();
    void worker.terminate().then(() => {
      this.#lost.delete(worker);
      this.onIdle();
    });
  }

  #take(): Worker {
    const idle = this.#idle;
    this.#idle = null;
    if (idle !== null) {
      idle.cancel();
      return idle.worker;
    }
    const worker = new Worker(new URL('./builder-worker.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: limits.builderYoungMb, maxOldGenerationSizeMb: this.#heapMb },
    });
    // While it has work, `#run` listens too; when an idle one fails, it is only forgotten.
    worker.on('error', () => {
      if (this.#idle?.worker === worker) this.#idle = null;
    });
    return worker;
  }

  /** Keeps one thread a moment: zones, maps and geography come in a row. */
  #giveBack(worker: Worker): void {
    if (this.#idle !== null) {
      void worker.terminate();
      return;
    }
    worker.unref();
    const timer = setTimeout(() => void this.stop(), limits.builderIdleMs);
    timer.unref();
    this.#idle = { worker, cancel: () => clearTimeout(timer) };
  }
}

/** MiB of heap for one thread: a share of what the machine or its container has. */
export function builderHeapMb(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  const total = totalmem();
  const bytes = constrained > 0 && constrained < total ? constrained : total;
  const share = Math.floor((bytes * limits.builderHeapShare) / 1024 / 1024);
  return Math.min(limits.builderHeapMostMb, Math.max(limits.builderHeapLeastMb, share));
}
