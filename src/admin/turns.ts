// How many long answers are made at once: those above wait for their turn, those of a client that asks for too many are refused.
import { limits } from '../base/limits.ts';
import { Problem } from './problem.ts';

/** What takes its time, each kind with turns of its own. */
export const LONG_KINDS = ['coverage', 'explain', 'metrics', 'list', 'events', 'act', 'reload'] as const;
export type LongKind = (typeof LONG_KINDS)[number];

interface Waiting {
  readonly client: string;
  readonly begin: () => void;
}

/** The turns of one kind. */
export class Turns {
  readonly #kind: LongKind;
  #running = 0;
  readonly #waiting: Waiting[] = [];
  /** Running and waiting. */
  readonly #perClient = new Map<string, number>();
  /** Requests that were refused. */
  refused = 0;

  constructor(kind: LongKind) {
    this.#kind = kind;
  }

  /**
   * Resolves with what ends the turn as soon as there is one; with null when the client left before. Throws Problem 429 and 503.
   * @param onGone calls back when the client leaves
   */
  async take(client: string, onGone: (callback: () => void) => void): Promise<(() => void) | null> {
    const own = this.#perClient.get(client) ?? 0;
    if (own >= limits.adminLongPerClient) {
      this.refused++;
      const detail = `${own} requests of this kind (${this.#kind}) are being answered for you: wait for one of them`;
      throw new Problem('too-many-requests', detail, { 'retry-after': '2' });
    }
    if (this.#running >= limits.adminLongAtOnce && this.#waiting.length >= limits.adminLongWaiting) {
      this.refused++;
      const detail = `${this.#waiting.length} requests of this kind (${this.#kind}) wait already`;
      throw new Problem('busy', detail, { 'retry-after': '5' });
    }
    this.#perClient.set(client, own + 1);
    if (this.#running < limits.adminLongAtOnce) this.#running++;
    else if (!(await this.#wait(client, onGone))) return null;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#forget(client);
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next.begin();
    };
  }

  #wait(client: string, onGone: (callback: () => void) => void): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = { client, begin: () => resolve(true) };
      this.#waiting.push(waiting);
      onGone(() => {
        const at = this.#waiting.indexOf(waiting);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        this.#forget(client);
        resolve(false);
      });
    });
  }

  #forget(client: string): void {
    const left = this.#perClient.get(client)! - 1;
    if (left === 0) this.#perClient.delete(client);
    else this.#perClient.set(client, left);
  }
}
