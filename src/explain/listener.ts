// Listens to the answer path while it answers: what explain knows comes from here.
import type { AnswerTrace } from '../answer/trace.ts';
import type { ChoiceTrace } from '../steer/outcome.ts';

/** A pool as the chooser saw it: see `ChoiceTrace`. */
export interface HeardPool {
  readonly number: number;
  readonly draw: number;
  readonly up: boolean;
  readonly live: number;
  readonly members: number;
}

/** What the answer path said of one steered set. */
export interface HeardSteering {
  readonly zone: number;
  readonly steering: number;
  readonly pool: number;
  readonly mode: number;
  readonly climbed: boolean;
  readonly ttlSeconds: number;
  readonly scope: number;
  /** The client subnet said nothing of where the client is: the resolver's address decided. */
  readonly byResolver: boolean;
  /** The pools of the client's way up, in its order, each once. */
  readonly way: readonly HeardPool[];
  readonly members: number[];
}

/** One name of a chain, in order: the zone that it is answered from, and the steering of its set, if it is steered. */
export interface HeardLink {
  readonly zone: number;
  heard: HeardSteering | null;
}

/** Listens to the answer path: every link of the chain, and the last steered set of it. */
export class Listener implements AnswerTrace, ChoiceTrace {
  readonly choices = this;
  heard: HeardSteering | null = null;
  readonly links: HeardLink[] = [];
  #zone = -1;
  #scope = 0;
  #byResolver = false;
  #way: HeardPool[] = [];
  zoneNumber = -1;

  zone(number: number): void {
    this.#zone = number;
    this.links.push({ zone: number, heard: null });
    if (this.zoneNumber < 0) this.zoneNumber = number;
    this.#way = [];
  }
  client(): void {}
  list(): void {}
  pool(number: number, draw: number, up: boolean, live: number, members: number): void {
    if (!this.#way.some((pool) => pool.number === number)) this.#way.push({ number, draw, up, live, members });
  }
  scope(length: number, byResolver: boolean): void {
    this.#scope = length;
    this.#byResolver = byResolver;
  }
  steered(steering: number, _outcome: number, pool: number, mode: number, climbed: boolean, ttlSeconds: number): void {
    const heard = { zone: this.#zone, steering, pool, mode, climbed, ttlSeconds, scope: this.#scope };
    const byResolver = this.#byResolver;
    this.heard = { ...heard, byResolver, way: this.#way, members: [] };
    this.links.at(-1)!.heard = this.heard;
  }
  member(slot: number): void {
    this.heard?.members.push(slot);
  }
}
