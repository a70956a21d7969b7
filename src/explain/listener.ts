// Listens to the answer path while it answers: what explain knows comes from here.
import type { AnswerTrace } from '../answer/trace.ts';

/** What the answer path said of one steered set. */
export interface HeardSteering {
  readonly zone: number;
  readonly steering: number;
  readonly pool: number;
  readonly mode: number;
  readonly climbed: boolean;
  readonly ttlSeconds: number;
  readonly scope: number;
  readonly slots: readonly number[];
  readonly states: ReadonlyMap<number, { up: boolean; live: number }>;
  readonly members: number[];
}

/** One name of a chain, in order: the zone that it is answered from, and the steering of its set, if it is steered. */
export interface HeardLink {
  readonly zone: number;
  heard: HeardSteering | null;
}

/** Listens to the answer path: every link of the chain, and the last steered set of it. */
export class Listener implements AnswerTrace {
  heard: HeardSteering | null = null;
  readonly links: HeardLink[] = [];
  #zone = -1;
  #scope = 0;
  #slots: number[] = [];
  #states = new Map<number, { up: boolean; live: number }>();
  zoneNumber = -1;

  zone(number: number): void {
    this.#zone = number;
    this.links.push({ zone: number, heard: null });
    if (this.zoneNumber < 0) this.zoneNumber = number;
    this.#slots = [];
    this.#states = new Map();
  }
  client(): void {}
  list(position: number, slot: number): void {
    this.#slots[position] = slot;
  }
  pool(number: number, up: boolean, live: number): void {
    this.#states.set(number, { up, live });
  }
  scope(length: number): void {
    this.#scope = length;
  }
  steered(steering: number, _outcome: number, pool: number, mode: number, climbed: boolean, ttlSeconds: number): void {
    const heard = { zone: this.#zone, steering, pool, mode, climbed, ttlSeconds, scope: this.#scope };
    this.heard = { ...heard, slots: this.#slots, states: this.#states, members: [] };
    this.links.at(-1)!.heard = this.heard;
  }
  member(slot: number): void {
    this.heard?.members.push(slot);
  }
}
