// What explain hears of an answer while it is made: the answer path's own decisions, in order.
import type { ChoiceTrace } from '../steer/outcome.ts';

/** Numbers are those of the zone's image; `explain/words.ts` puts words to them. */
export interface AnswerTrace {
  /** Listens to the chooser too, which then looks at every pool on the client's way; null: not. */
  readonly choices: ChoiceTrace | null;
  /** A link of the chain is answered from this zone (its number in the directory). */
  zone(number: number): void;
  /** The client that decides, and whether it came from ECS. */
  client(family: number, w0: number, w1: number, w2: number, w3: number, fromSubnet: boolean): void;
  /** A steered set: its steering's number and TTL-relevant outcome; `slot`: the list of the client's own region. */
  steered(
    steering: number,
    outcome: number,
    poolNumber: number,
    mode: number,
    climbed: boolean,
    ttlSeconds: number,
    slot: number,
  ): void;
  /** A member that stands in the answer, by board slot. */
  member(slot: number): void;
  /** Scope prefix length of this link; `byResolver`: the client subnet says nothing of where the client is, the resolver's address decided. */
  scope(length: number, byResolver: boolean): void;
}
