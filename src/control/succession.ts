// What one server knows and the next one must: taken up when it comes, handed over when it goes, and held still in between.
import { RequestError } from '../api/views.ts';
import type { Storage } from '../base/storage.ts';
import type { Settings } from '../settings/settings.ts';
import type { Targets } from '../targets/targets.ts';
import type { StateHanded } from './handover-messages.ts';
import type { Threads } from './threads.ts';

/** The file of the notes on answers, in the state folder. */
export const ANSWERED_FILE = 'answered.json';

export interface SuccessionParts {
  readonly settings: Pick<Settings, 'state'>;
  readonly storage: Storage;
  readonly targets: Targets;
  readonly threads: Threads;
  /** What the notes on answers go by. */
  readonly steadyMs: () => number;
}

export class Succession {
  readonly #parts: SuccessionParts;
  /** A server that replaces this one has what is known here: nobody may change it. */
  #held = false;

  constructor(parts: SuccessionParts) {
    this.#parts = parts;
  }

  /** What the server that is replaced knows counts in place of its files; null: it has ended, its files count. */
  takeUp(state: StateHanded | null): void {
    const { storage, settings } = this.#parts;
    storage.take(settings.state, state?.texts ?? null);
  }

  /** The state folder is this process's: what is to be stored is stored, and what is read is read from there. */
  own(): void {
    this.takeUp(null);
    this.#parts.storage.release();
  }

  /** Another process may read the sockets from now on. Returns their descriptors. */
  share(): number[] {
    this.#parts.threads.sharers++;
    return this.#parts.threads.descriptors;
  }

  /** What is known, as the texts of the state files. `final`: and nobody changes it any more, until `resume`. */
  state(final: boolean): Record<string, string | null> {
    const { storage, targets, steadyMs } = this.#parts;
    if (final) {
      this.#held = true;
      storage.hold();
    }
    return { ...storage.texts(), [ANSWERED_FILE]: targets.notes(steadyMs()) };
  }

  /** Who came to take over is gone. */
  resume(): void {
    this.#held = false;
    this.#parts.threads.sharers--;
    this.#parts.storage.release();
  }

  /** Throws RequestError while what an operator changes would be lost. */
  mayChange(): void {
    if (!this.#held) return;
    throw new RequestError(503, 'replacing', 'another process is just taking over: ask again in a second');
  }
}
