// Watches folders and says, after a moment of quiet, that something in them may have changed.
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';

/**
 * Watches each folder and its parent (a folder that is replaced as a whole is only seen from there), and polls slowly behind
 * them for file systems that don't tell. The callback rescans, and never rejects: events are hints, not facts.
 */
export class Watch {
  readonly #clock: Clock;
  readonly #onChange: () => Promise<void>;
  #folders: readonly string[] = [];
  #watchers: FSWatcher[] = [];
  #cancelQuiet: (() => void) | null = null;
  #cancelPoll: (() => void) | null = null;
  #stopped = false;

  constructor(clock: Clock, onChange: () => Promise<void>) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Replaces what is watched. Folders that don't exist are seen when their parent gets them. */
  set(folders: readonly string[]): void {
    this.#folders = [...new Set(folders)];
    this.#open();
    this.#poll();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelQuiet?.();
    this.#cancelPoll?.();
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  #open(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
    for (const folder of this.#folders) {
      this.#watch(folder, null);
      this.#watch(dirname(folder), basename(folder));
    }
  }

  /** @param only tell only of this entry, and look anew at what is watched: it may be another folder now */
  #watch(folder: string, only: string | null): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (only !== null && name !== null && name !== only) return;
        this.#hint(only !== null);
      });
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // It doesn't exist (yet), or inotify is out of watches: the parent or the poll will see it.
    }
  }

  #hint(reopen: boolean): void {
    if (this.#stopped) return;
    this.#cancelQuiet?.();
    this.#cancelQuiet = this.#clock.after(limits.reloadQuietMs, () => {
      this.#cancelQuiet = null;
      if (reopen) this.#open();
      void this.#onChange();
    });
  }

  /** @param tookMs how long the last look took: among many files it is no small thing, and is done less often */
  #poll(tookMs = 0): void {
    this.#cancelPoll?.();
    const pauseMs = Math.max(limits.watchPollMs, tookMs * limits.watchPollRest);
    this.#cancelPoll = this.#clock.after(pauseMs, () => {
      const startMs = this.#clock.monotonicMs();
      void this.#onChange().finally(() => {
        if (!this.#stopped) this.#poll(this.#clock.monotonicMs() - startMs);
      });
    });
  }
}
