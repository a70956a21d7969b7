// Runs floor.c, which only echoes: the least that the kernel lets a UDP server cost.
import { findExecutable } from '../process.mjs';

export const floor = {
  name: 'floor',
  echo: true,
  steers: false,
  mostNames: Number.POSITIVE_INFINITY,
  version: () => (findExecutable('cc', 'gcc', 'clang') ? 'recvmmsg/sendmmsg echo' : undefined),
  prepare: ({ port, tools }) => ({ command: tools.floor, args: [String(port)] }),
};
