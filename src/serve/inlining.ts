// Lets V8 put the answer path's functions into each other: it is many small ones, and as delivered V8 stops after the first few.
import { setFlagsFromString } from 'node:v8';

/**
 * For all threads of the process, for what is compiled from now on. The answer path costs a tenth to a fifth less so (bench/respond.mjs,
 * docs/performance.md); what the control plane compiles grows a little.
 */
export function inlineAnswerPath(): void {
  // As delivered 460 bytes of bytecode in one function (Node 20 and 24) and 920 in all.
  setFlagsFromString('--max-inlined-bytecode-size=1500');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=3000');
}
