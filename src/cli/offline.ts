// Answers questions from the files, for `--offline`: what is wrong with them or with the question is the caller's input.
import { StartError } from '../api/start-error.ts';
import { RequestError } from '../api/views.ts';
import { EXIT, Failure } from './exit.ts';

type Offline = typeof import('../explain/offline.ts');

/** Loads what it takes, which is much, only now. Throws Failure. */
export async function fromFiles<T>(ask: (offline: Offline) => Promise<T>): Promise<T> {
  try {
    return await ask(await import('../explain/offline.ts'));
  } catch (error) {
    if (error instanceof RequestError || error instanceof StartError) throw new Failure(EXIT.input, error.message);
    throw error;
  }
}
