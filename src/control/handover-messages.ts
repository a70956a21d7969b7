// What a server and the one that replaces it tell each other: JSON, one message a line.
import { z } from 'zod';
import { limits } from '../base/limits.ts';

/** From the one that comes: who it is; that it has loaded and waits for the state; that it answers. */
export const FromSuccessor = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hello'), pid: z.number(), version: z.string() }),
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('serving') }),
]);
export type FromSuccessor = z.infer<typeof FromSuccessor>;

const Counters = z.record(z.string(), z.number());

/** From the one that goes. */
export const FromPredecessor = z.discriminatedUnion('kind', [
  /** The descriptors that come along, by what they are for: `dns`, `admin`, `lock`. */
  z.object({ kind: z.literal('handing'), pid: z.number(), version: z.string(), names: z.array(z.string()) }),
  z.object({
    kind: z.literal('state'),
    /** What its state files say, by name. */
    texts: z.record(z.string(), z.string().nullable()),
    counters: Counters,
    /** What its service manager asked of it. */
    manager: z.object({ socket: z.string(), watchdogUs: z.number() }).nullable(),
  }),
  z.object({ kind: z.literal('counters'), counters: Counters }),
  /** Another one is replacing it already. */
  z.object({ kind: z.literal('busy') }),
]);
export type FromPredecessor = z.infer<typeof FromPredecessor>;
export type StateHanded = Extract<FromPredecessor, { kind: 'state' }>;

export function toLine(message: FromSuccessor | FromPredecessor): string {
  return `${JSON.stringify(message)}\n`;
}

/** Puts lines together from what is read. */
export class Lines {
  #parts: Buffer[] = [];
  #bytes = 0;

  /** Returns the lines that are complete now. Throws when one is longer than limits.handoverBytes. */
  add(chunk: Buffer): string[] {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > limits.handoverBytes) throw new Error('a message of a handover is too long');
    if (!chunk.includes(0x0a)) return [];
    const lines = Buffer.concat(this.#parts).toString('utf8').split('\n');
    const rest = Buffer.from(lines.pop()!);
    this.#parts = [rest];
    this.#bytes = rest.length;
    return lines.filter((line) => line !== '');
  }
}
