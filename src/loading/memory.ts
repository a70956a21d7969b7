// The shared memory of the program: one set of rows for each thread that answers.

import { NUMBERS_ROW } from '../answer/numbers.ts';
import { NOTE } from '../answer/steered.ts';
import { limits } from '../base/limits.ts';
import type { Board } from '../board/board.ts';
import { COUNTER_ROW, COUNTERS, type CounterName, ZONE_ROW } from '../board/counters.ts';
import { eachShare, SHARE_OTHER, SHARE_TABLE_BYTES, unsharedAnswers } from '../board/shares.ts';
import type { Store } from '../board/store.ts';
import { createRateTable } from '../guard/rate.ts';
import { type AnswerMemory, randomSeed } from '../serve/answerer.ts';
import { SERVE_COUNTERS } from '../serve/counters.ts';

/** A thread's own rows; they outlive it, so that its successor goes on counting. */
export interface ThreadRows {
  readonly counters: SharedArrayBuffer;
  readonly zoneCounters: SharedArrayBuffer;
  readonly notes: SharedArrayBuffer;
  readonly serveCounters: SharedArrayBuffer;
  readonly numbers: SharedArrayBuffer;
  readonly shares: SharedArrayBuffer;
}

/** Unix seconds until which an answer that named a target may be cached and of the last one (0: never answered), and answers so far. */
export interface Answered {
  readonly untilSeconds: number;
  readonly lastSeconds: number;
  readonly answers: number;
}

/** Rows by reader number. Untouched pages of them take no memory. */
export class Rows {
  readonly #rows: ThreadRows[] = [];
  readonly #rateTable = createRateTable();
  readonly #rateSeed = randomSeed()[0];

  row(reader: number): ThreadRows {
    this.#rows[reader] ??= {
      counters: new SharedArrayBuffer(COUNTER_ROW * 8),
      zoneCounters: new SharedArrayBuffer(limits.zones * ZONE_ROW * 8),
      notes: new SharedArrayBuffer(limits.targets * NOTE.size * 8),
      serveCounters: new SharedArrayBuffer(SERVE_COUNTERS.length * 8),
      numbers: new SharedArrayBuffer(NUMBERS_ROW * 8),
      shares: new SharedArrayBuffer(SHARE_TABLE_BYTES),
    };
    return this.#rows[reader]!;
  }

  /** What a thread with this reader number starts with. */
  memory(reader: number, store: Store, board: Board): AnswerMemory {
    return {
      store: store.handle(),
      reader,
      board: board.buffer,
      ...this.row(reader),
      rateTable: this.#rateTable,
      rateSeed: this.#rateSeed,
    };
  }

  #sum(pick: (row: ThreadRows) => SharedArrayBuffer, column: number): number {
    let sum = 0;
    for (const row of this.#rows) if (row !== undefined) sum += new Float64Array(pick(row))[column]!;
    return sum;
  }

  /** All counters, added up over the threads. */
  totals(): Record<string, number> {
    const totals: Record<string, number> = {};
    COUNTERS.forEach((name: CounterName, i) => {
      totals[name] = this.#sum((row) => row.counters, i);
    });
    SERVE_COUNTERS.forEach((name, i) => {
      totals[name] = this.#sum((row) => row.serveCounters, i);
    });
    return totals;
  }

  /** A row of NUMBERS, added up over the threads. */
  numbers(): Float64Array {
    const sums = new Float64Array(NUMBERS_ROW);
    for (const row of this.#rows) {
      if (row !== undefined)
        new Float64Array(row.numbers).forEach((count, column) => {
          sums[column]! += count;
        });
    }
    return sums;
  }

  /** Answers by the numbers of pool and region (see ShareNames), added up over the threads. */
  shares(): { readonly pool: number; readonly region: number; answers: number }[] {
    const shares = new Map<string, { pool: number; region: number; answers: number }>();
    const add = (pool: number, region: number, answers: number): void => {
      const key = `${pool} ${region}`;
      const share = shares.get(key);
      if (share === undefined) shares.set(key, { pool, region, answers });
      else share.answers += answers;
    };
    for (const row of this.#rows) {
      if (row === undefined) continue;
      const table = new Float64Array(row.shares);
      eachShare(table, add);
      if (unsharedAnswers(table) > 0) add(SHARE_OTHER, SHARE_OTHER, unsharedAnswers(table));
    }
    return [...shares.values()];
  }

  zone(number: number, column: number): number {
    return this.#sum((row) => row.zoneCounters, number * ZONE_ROW + column);
  }

  /** Clears what was noted of a slot, before another target has it. */
  forget(slot: number): void {
    for (const row of this.#rows) {
      if (row !== undefined) new Float64Array(row.notes).fill(0, slot * NOTE.size, (slot + 1) * NOTE.size);
    }
  }

  /** What the threads noted of a target: see Answered. */
  target(slot: number): Answered {
    let untilSeconds = 0;
    let lastSeconds = 0;
    let answers = 0;
    for (const row of this.#rows) {
      if (row === undefined) continue;
      const notes = new Float64Array(row.notes, slot * NOTE.size * 8, NOTE.size);
      untilSeconds = Math.max(untilSeconds, notes[NOTE.until]!);
      lastSeconds = Math.max(lastSeconds, notes[NOTE.last]!);
      answers += notes[NOTE.answers]!;
    }
    return { untilSeconds, lastSeconds, answers };
  }
}
