// Entry of the thread in which `check` reads files: one that takes too much time or memory is given up with it.
import { parentPort, workerData } from 'node:worker_threads';
import type { Diagnostic } from '../base/diagnostic.ts';
import { checkConfigured, checkPaths, type Progress } from './check-files.ts';

/** What the thread is asked. */
export interface CheckTask {
  readonly paths: readonly string[];
  readonly config: string | undefined;
  /** Files that aren't read (again): why not, or '' for those that were. */
  readonly skip: ReadonlyMap<string, string>;
}

export type CheckMessage =
  | { readonly kind: 'step'; readonly file: string; readonly withinMs: number }
  | { readonly kind: 'found'; readonly path: string; readonly diagnostics: readonly Diagnostic[] };

const { paths, config, skip } = workerData as CheckTask;
const tell = (message: CheckMessage): void => parentPort!.postMessage(message);
const progress: Progress = {
  step: (file, withinMs) => tell({ kind: 'step', file, withinMs }),
  found: (path, diagnostics) => tell({ kind: 'found', path, diagnostics }),
  skip,
};
if (paths.length === 0) checkConfigured(config, progress);
else checkPaths(paths, config, progress);
