// The program's log: JSON lines through pino, with an event code on each that docs/operations.md lists.
import { writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import { LineSink } from './line-sink.ts';
import { visibleLines } from './visible.ts';

export type { Logger } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

const OPTIONS = { base: null, timestamp: pino.stdTimeFunctions.isoTime };

/** What a part that only tells events needs of a log: fields with an event code, and a sentence. */
export type EventLogger = Readonly<Record<EventLevel, (fields: object, message: string) => void>>;

export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

/** A logger to standard error for a command, which may wait: standard output belongs to what commands print. */
export function createLog(level: LogLevel): Logger {
  return pino({ ...OPTIONS, level }, { write: (line: string) => writeSync(2, visibleLines(line)) });
}

/** The log of a server, which waits for nobody, and the sink behind it: with its drops, and to be flushed at the end. */
export function openServerLog(level: LogLevel): { log: Logger; sink: LineSink } {
  const sink = new LineSink(2, (dropped) => {
    const time = new Date().toISOString();
    return `${JSON.stringify({ level: 40, time, event: 'log-dropped', dropped, msg: 'lines of the log found no reader in time' })}\n`;
  });
  // JSON escapes the lower controls; the others act on terminals too, and an escape of JSON stands for each.
  const log = pino({ ...OPTIONS, level }, { write: (line: string) => sink.write(visibleLines(line)) });
  return { log, sink };
}
