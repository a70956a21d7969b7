// How a command ends: the exit codes, and the failure that carries one with a message for people.

export const EXIT = {
  good: 0,
  /** What was given to read or to ask is wrong. */
  input: 1,
  /** The command line is wrong. */
  usage: 2,
  /** The server failed, or can't be reached. */
  server: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command: the message goes to standard error as it stands, without a stack. */
export class Failure extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
