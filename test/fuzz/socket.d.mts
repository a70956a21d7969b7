// Types of the fuzzer over sockets.
import type { Found } from './run.mjs';

export function fuzzSocket(options: {
  readonly udp: number;
  readonly tcp: number;
  readonly seed: number;
  readonly clients?: number;
}): Promise<{
  readonly packets: number;
  readonly answers: number;
  readonly resident: readonly number[];
  readonly found: readonly Found[];
}>;
