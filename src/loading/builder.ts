// Hands work to builder threads, which come when there is some and end when there is none.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { limits } from '../base/limits.ts';
import type { SegmentRef, StoreHandle } from '../board/store.ts';
import type { GeoFiles, LoadedGeo } from '../geo/open.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import type { BuildReply, BuildRequest, CommonResult, ZoneResult, ZonesRequest } from './build.ts';

/** Zones for which a second thread pays for its start. */
const ZONES_PER_THREAD = 50;

export class Builder {
  #idle: { worker: Worker; timer: NodeJS.Timeout } | null = null;
  /** Called when the last builder thread has ended. */
  onIdle: () => void = () => {};

  /** Builds zones; calls back for each as it is ready. Many of them are spread over threads. Returns what `_common` is like. */
  async zones(request: Omit<ZonesRequest, 'kind'>, onZone: (result: ZoneResult) => void): Promise<CommonResult> {
    let common: CommonResult = { good: true, diagnostics: [] };
    const threads = Math.max(
      1,
      Math.min(availableParallelism(), limits.builderThreads, Math.ceil(request.jobs.length / ZONES_PER_THREAD)),
    );
    const parts = Array.from({ length: threads }, (_, i) => request.jobs.filter((_, k) => k % threads === i));
    await Promise.all(
      parts.map((jobs) =>
        this.#run({ ...request, kind: 'zones', jobs }, (message) => {
          if (message.kind === 'zone') onZone(message.result);
          else if (message.kind === 'common') common = message.result;
        }),
      ),
    );
    return common;
  }

  /** Region maps for a geo image that is in the store. */
  async maps(specs: readonly MapSpec[], store: StoreHandle, geo: SegmentRef): Promise<readonly Uint8Array[]> {
    let images: readonly Uint8Array[] = [];
    await this.#run({ kind: 'maps', specs, store, geo }, (message) => {
      if (message.kind === 'maps') images = message.images;
    });
    return images;
  }

  async geo(files: GeoFiles, specs: readonly MapSpec[]): Promise<{ geo: LoadedGeo; maps: readonly Uint8Array[] }> {
    let built: { geo: LoadedGeo; maps: readonly Uint8Array[] } | null = null;
    await this.#run({ kind: 'geo', files, specs }, (message) => {
      if (message.kind === 'geo') built = { geo: message.geo, maps: message.maps };
    });
    if (built === null) throw new Error('the builder gave no geography');
    return built;
  }

  /** Ends the thread that waits for more. */
  async stop(): Promise<void> {
    const idle = this.#idle;
    this.#idle = null;
    if (idle === null) return;
    clearTimeout(idle.timer);
    await idle.worker.terminate();
    this.onIdle();
  }

  #run(request: BuildRequest, onReply: (message: BuildReply) => void): Promise<void> {
    const worker = this.#take();
    return new Promise((resolve, reject) => {
      const settle = (error: Error | null): void => {
        worker.off('message', onMessage).off('error', settle).off('exit', onExit);
        if (error) {
          void worker.terminate();
          reject(error);
        } else {
          this.#giveBack(worker);
          resolve();
        }
      };
      const onMessage = (message: BuildReply): void => {
        if (message.kind === 'done') settle(null);
        else if (message.kind === 'failed') settle(new Error(`builder thread: ${message.error}`));
        else onReply(message);
      };
      const onExit = (code: number): void => settle(new Error(`the builder thread ended with ${code}`));
      worker.on('message', onMessage).on('error', settle).on('exit', onExit);
      worker.ref();
      worker.postMessage(request);
    });
  }

  #take(): Worker {
    const idle = this.#idle;
    this.#idle = null;
    if (idle !== null) {
      clearTimeout(idle.timer);
      return idle.worker;
    }
    const worker = new Worker(new URL('./builder-worker.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: limits.builderYoungMb },
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
    this.#idle = { worker, timer };
  }
}
