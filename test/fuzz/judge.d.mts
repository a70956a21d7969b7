// Types of the fuzzer's judge.

export class Violation extends Error {}

export interface Circumstances {
  readonly tcp: boolean;
  readonly udpMax: number;
  readonly udpMaxWithoutCookie: number;
  readonly cookies: boolean;
  readonly isValidCookie: (cookie: Buffer) => boolean;
  readonly limited: boolean;
}

/** Throws a Violation where the answer is not one that the request may get. `length` 0: there was none. */
export function judge(
  asked: Buffer,
  askedLength: number,
  bytes: Buffer,
  length: number,
  circumstances: Circumstances,
): void;
