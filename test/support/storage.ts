// A storage for tests of what is kept in state/, with what it says.
import { pino } from 'pino';
import { Storage } from '../../dist/base/storage.js';
import { FakeClock } from './clock.ts';

export class TestStorage extends Storage {
  readonly logged: Record<string, unknown>[];
  readonly told: string[] = [];

  constructor(clock: FakeClock = new FakeClock(), options: { readOnly?: boolean } = {}) {
    const logged: Record<string, unknown>[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(JSON.parse(line)) });
    super({ clock, log, ...options });
    this.logged = logged;
    this.onEvent = (kind) => this.told.push(kind);
  }

  /** What the damages say, a line each. */
  get damages(): string {
    return this.damaged.map(({ file, reason }) => `${file}: ${reason}`).join('\n');
  }
}

/** Waits for what the disk does, which no clock of a test moves. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > endMs) throw new Error('never happened');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
