// Where the query log goes, as its writer sees it: takes whole records when it has room, never waits, and says what became of them.

export interface Output {
  /** Whether `write` may be called: all that it took before is on its way. */
  readonly ready: boolean;
  /** Takes bytes with so many whole records. They are the output's from now on. */
  write(bytes: Uint8Array, records: number): void;
  /** Goes on with what waits, opens what isn't open. Called now and then. */
  turn(): void;
  /** Begins anew, after somebody has put the file aside. */
  reopen(): void;
  /** Writes what can be written at once or soon, and ends; what is left is dropped. */
  close(): Promise<void>;
}

/** What an output tells. */
export interface OutputNews {
  readonly written: (records: number) => void;
  readonly dropped: (records: number) => void;
  /** Why nothing can be written now; null: it can. Told again and again. */
  readonly trouble: (reason: string | null) => void;
}
