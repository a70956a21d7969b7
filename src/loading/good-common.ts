// The last `_common.yaml` without errors, in memory and in state/: zones that need it are built with it while the file has errors.
import { join } from 'node:path';
import { limits } from '../base/limits.ts';
import { StateFile } from '../base/state-file.ts';
import type { Storage } from '../base/storage.ts';

export class GoodCommon {
  readonly #file: StateFile<string> | null;
  #text: string | null = null;

  /** @param stateDirectory null: it is kept in memory alone */
  constructor(stateDirectory: string | null, storage: Storage) {
    this.#file =
      stateDirectory === null
        ? null
        : new StateFile({
            file: join(stateDirectory, 'zones', 'common.yaml'),
            storage,
            maxBytes: limits.yamlFileBytes,
            read: (text) => text,
            write: () => this.#text ?? undefined,
          });
  }

  /** null where none is known. */
  get text(): string | null {
    return this.#text;
  }

  /** Takes up what an earlier run kept. */
  load(): void {
    this.#text = this.#file?.load() ?? null;
  }

  keep(text: string): void {
    if (this.#text === text) return;
    this.#text = text;
    this.#file?.soon();
  }

  /** Stores what isn't yet. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}
