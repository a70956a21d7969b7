// What the health thread has yet to be told: which targets are other than it knows, and what operators want of it; bounded, however long it is busy.
import { limits } from '../base/limits.ts';
import type { KnownTarget, ToHealth } from './messages.ts';

/** As many targets as there are, a bounded number of commands, and a few messages under way. */
export class Inbox {
  readonly #known: (id: string) => KnownTarget | undefined;
  /** Targets that the thread has to be told of: true for those that are gone. */
  readonly #targets = new Map<string, boolean>();
  readonly #commands: ToHealth[] = [];
  /** Commands that were sent and not yet taken, with the number of messages that were sent before. */
  #unconfirmed: { readonly before: number; readonly command: ToHealth }[] = [];
  #sent = 0;
  #taken = 0;

  /** @param known what a thread must know of a target */
  constructor(known: (id: string) => KnownTarget | undefined) {
    this.#known = known;
  }

  /** Targets that are new or other than before, and those that are gone. */
  change(changed: readonly string[], gone: readonly string[]): void {
    for (const id of changed) this.#targets.set(id, false);
    for (const id of gone) this.#targets.set(id, true);
  }

  command(command: ToHealth): void {
    this.#commands.push(command);
    if (this.#commands.length > limits.healthCommands) this.#commands.shift();
  }

  /** The next message; null: nothing waits, or the thread has to take what was sent first. */
  next(): ToHealth | null {
    if (this.#sent - this.#taken >= limits.healthMessages) return null;
    const command = this.#commands.shift();
    if (command !== undefined) this.#unconfirmed.push({ before: this.#sent, command });
    const message = command ?? this.#nextTargets();
    if (message !== null) this.#sent++;
    return message;
  }

  /** The thread has taken so many messages. */
  taken(count: number): void {
    this.#taken = count;
    this.#unconfirmed = this.#unconfirmed.filter(({ before }) => before >= count);
  }

  /** Another thread begins: it is to be told of all targets, and of what its predecessor may not have done. */
  startOver(ids: readonly string[]): void {
    this.#sent = 0;
    this.#taken = 0;
    this.#targets.clear();
    this.change(ids, []);
    this.#commands.unshift(...this.#unconfirmed.map(({ command }) => command));
    this.#unconfirmed = [];
  }

  /** Whether the thread knows the targets as they are. */
  get upToDate(): boolean {
    return this.#targets.size === 0 && this.#taken === this.#sent;
  }

  /** Whether the thread has done what operators want. */
  get obeyed(): boolean {
    return this.#commands.length === 0 && this.#unconfirmed.length === 0;
  }

  #nextTargets(): ToHealth | null {
    if (this.#targets.size === 0) return null;
    const changed: string[] = [];
    for (const [id, gone] of this.#targets) {
      if (changed.length === limits.healthTargets) break;
      if (!gone) changed.push(id);
    }
    // What is gone comes last: an equal probe of a new target then goes on where the old one was.
    const gone = changed.length > 0 ? [] : [...this.#targets.keys()].slice(0, limits.healthTargets);
    for (const id of [...changed, ...gone]) this.#targets.delete(id);
    return { kind: 'targets', changed: changed.flatMap((id) => this.#known(id) ?? []), gone };
  }
}
