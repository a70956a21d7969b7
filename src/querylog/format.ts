// What a form of the query log is: bytes for each query, and what stands before and behind them.
import type { LoggedQuery } from './logged-query.ts';

export interface Format {
  /** Begins a file or a stream that goes one way. */
  readonly begin: Uint8Array;
  /** Ends it. */
  readonly end: Uint8Array;
  /** The whole bytes of one query. */
  record(logged: LoggedQuery): Uint8Array;
}
