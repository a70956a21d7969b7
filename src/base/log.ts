// The program's log: JSON lines through pino, with an event code on each that docs/operations.md lists.
import { destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What a part that only tells events needs of a log: fields with an event code, and a sentence. */
export type EventLogger = Readonly<Record<EventLevel, (fields: object, message: string) => void>>;

export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

/** A logger to standard error: standard output belongs to what commands print. */
export function createLog(level: LogLevel): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: 2, sync: true }));
}
