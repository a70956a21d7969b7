// `meridian check`: every mistake and every doubtful spot in the files, at once.
import { Worker } from 'node:worker_threads';
import { compareDiagnostics, type Diagnostic, formatDiagnostic } from '../base/diagnostic.ts';
import { builderHeapMb } from '../loading/builder.ts';
import type { CheckMessage, CheckTask } from './check-worker.ts';
import { findSettings, shortPath } from './config.ts';
import { EXIT, type ExitCode, Failure } from './exit.ts';
import { print } from './output.ts';
import { count } from './table.ts';

export interface CheckOptions {
  readonly paths: readonly string[];
  readonly config: string | undefined;
  readonly json: boolean;
}

/** What was found, by the absolute path of each file that was read. */
type Found = Map<string, readonly Diagnostic[]>;

/** Prints what is wrong and returns the exit code: 1 when there are errors; warnings alone are good. */
export async function check({ paths, config, json }: CheckOptions): Promise<ExitCode> {
  // What is wrong with the command line ends the command here, with its own words.
  findSettings(config);
  const found: Found = new Map();
  const given = new Map<string, string>();
  for (;;) {
    const skip = new Map([...found.keys()].map((path) => [path, given.get(path) ?? '']));
    const culprit = await readFiles({ paths, config, skip }, found);
    if (culprit === null) break;
    if (given.has(culprit.file)) throw new Failure(EXIT.server, culprit.reason);
    given.set(culprit.file, culprit.reason);
    found.set(culprit.file, [tooMuch(culprit)]);
  }
  const diagnostics = [...found.values()].flat().sort(compareDiagnostics);
  print(json ? formatJson(diagnostics) : formatText(diagnostics, found.size));
  return diagnostics.some(({ severity }) => severity === 'error') ? EXIT.input : EXIT.good;
}

/** A file at which the reading stopped. */
interface Culprit {
  readonly file: string;
  readonly reason: string;
}

/** Lets a thread read the files. Resolves with the file at which it stopped; null: it is through. Rejects with what isn't a file's fault. */
function readFiles(task: CheckTask, found: Found): Promise<Culprit | null> {
  const worker = new Worker(new URL('./check-worker.js', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: builderHeapMb() },
  });
  return new Promise((resolve, reject) => {
    let file = '';
    let timer: NodeJS.Timeout | undefined;
    const stop = (reason: string): void => {
      clearTimeout(timer);
      worker.unref();
      void worker.terminate();
      if (file === '') reject(new Failure(EXIT.server, reason));
      else resolve({ file, reason });
    };
    worker.on('message', (message: CheckMessage) => {
      if (message.kind === 'found') {
        found.set(message.path, [...(found.get(message.path) ?? []), ...message.diagnostics]);
        return;
      }
      file = message.file;
      clearTimeout(timer);
      const seconds = Math.ceil(message.withinMs / 1000);
      timer = setTimeout(() => stop(`it takes more than ${seconds} s`), message.withinMs);
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      stop(memory ? 'it takes more memory than there is for it' : error.message);
    });
    worker.on('exit', () => {
      clearTimeout(timer);
      resolve(null);
    });
  });
}

function tooMuch({ file, reason }: Culprit): Diagnostic {
  const path = shortPath(file);
  const fix = 'make the file smaller or simpler: split the zone, or write long lists once';
  const message = `this file can't be checked: ${reason}`;
  return { code: 'build-failed', severity: 'error', file: path, line: 1, col: 1, message, fix, excerpt: '' };
}

function formatJson(diagnostics: readonly Diagnostic[]): string {
  const list = diagnostics.map(({ code, severity, file, line, col, message, fix }) => ({
    code,
    severity,
    file,
    line,
    col,
    message,
    fix,
  }));
  return `${JSON.stringify(list, null, 2)}\n`;
}

function formatText(diagnostics: readonly Diagnostic[], files: number): string {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const summary = `${count(files, 'file')}: ${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  return [...diagnostics.map(formatDiagnostic), summary].map((text) => `${text}\n`).join('');
}
