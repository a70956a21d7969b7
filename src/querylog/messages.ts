// What the control thread and the query log's thread tell each other.
import type { QueryLogSettings } from '../settings/query-log.ts';
import type { NewNames } from './zone-names.ts';

/** What the thread starts with. */
export interface WriterStart {
  readonly settings: QueryLogSettings;
  readonly rings: readonly SharedArrayBuffer[];
  readonly names: readonly NewNames[];
  /** What it counts, WRITER_COUNT columns; they outlive it. */
  readonly counts: SharedArrayBuffer;
  /** Who answers, and its version: in dnstap. */
  readonly identity: string;
  readonly version: string;
}

/** Doubles of `WriterStart.counts`: queries written, and those that an output lost. */
export const WRITER_COUNT = { written: 0, dropped: 1, size: 2 } as const;

export type ToWriter =
  | { readonly kind: 'ring'; readonly ring: SharedArrayBuffer }
  | { readonly kind: 'names'; readonly names: NewNames }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'stop' };

/** The reason why nothing can be written, null: it can again. Told when it changes. */
export interface FromWriter {
  readonly trouble: string | null;
}
