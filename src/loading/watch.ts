// Watches folders and says, after a moment of quiet, that something in them may have changed.
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';

/**
 * Watches each folder and its parent (a folder that is replaced as a whole is only seen from there), and polls slowly behind
 * them for file systems that don't tell. The callback rescans: events are hints, not facts.
 */
export class Watch {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #folders: readonly string[] = [];
  #watchers: FSWatcher[] = [];
  #cancelQuiet: (() => void) | null = null;
  #cancelPoll: (() => void) | null = null;
  #stopped = false;

  constructor(clock: Clock, onChange: () => void) {
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
      this.#onChange();
    });
  }

  #poll(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = this.#clock.after(limits.watchPollMs, () => {
      this.#onChange();
      if (!this.#stopped) this.#poll();
    });
  }
}
