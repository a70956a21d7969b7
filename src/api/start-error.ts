// Why the server can't start: lines for the operator, exit code 3 (or 1 where the input is wrong).

/** Thrown while a server is made and started; the message is what is printed, without a stack. */
export class StartError extends Error {
  readonly exitCode: 1 | 3;

  constructor(message: string, exitCode: 1 | 3 = 3) {
    super(message);
    this.exitCode = exitCode;
  }
}
