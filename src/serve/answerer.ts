// Makes a thread's answer path from what the main thread hands over: shared memory and settings.
import { randomFillSync } from 'node:crypto';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { AnswerParts } from '../answer/parts.ts';
import { Answerer } from '../answer/respond.ts';
import type { Prefix } from '../base/address.ts';
import { systemClock } from '../base/clock.ts';
import { RandomWords } from '../base/random.ts';
import { steadyClock } from '../base/steady.ts';
import { type StoreHandle, StoreReader } from '../board/store.ts';
import { Cookies } from '../guard/cookies.ts';
import { RateLimiter } from '../guard/rate.ts';

/** Rates as the settings give them; null: no limit. */
export interface RateSettings {
  readonly responsesPerSecond: number;
  readonly slip: number;
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  readonly exempt: readonly Prefix[];
}

/** What answering depends on, the same for every thread; survives structured clone. */
export interface AnswerSettings {
  readonly udpMaxBytes: number;
  readonly udpMaxBytesWithoutCookie: number;
  readonly cookieSecrets: readonly Uint8Array[];
  readonly rate: RateSettings | null;
  readonly nsid: Uint8Array;
  readonly version: Uint8Array;
  readonly hostname: Uint8Array;
  /** In units of 100 ms (RFC 7828 3.1). */
  readonly keepalive: number;
  /** What the time of notes goes by: see base/steady.ts. */
  readonly steadyEpochMs: number;
}

/** A thread's share of the shared memory; survives structured clone. */
export interface AnswerMemory {
  readonly store: StoreHandle;
  readonly reader: number;
  readonly board: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  readonly zoneCounters: SharedArrayBuffer;
  readonly notes: SharedArrayBuffer;
  readonly serveCounters: SharedArrayBuffer;
  /** One rate table and seed for all threads: a network's debt doesn't depend on which thread it meets. */
  readonly rateTable: SharedArrayBuffer;
  readonly rateSeed: number;
}

/** What the main thread tells a data thread while it runs. */
export type ThreadMessage =
  | { readonly kind: 'chunk'; readonly index: number; readonly buffer: SharedArrayBuffer }
  | { readonly kind: 'secrets'; readonly secrets: readonly Uint8Array[] }
  | { readonly kind: 'stop' };

/** Four random words, seed of a generator that nobody else has. */
export function randomSeed(): [number, number, number, number] {
  const words = new Int32Array(4);
  randomFillSync(words);
  return [words[0]!, words[1]!, words[2]!, words[3]!];
}

/** The answer path of a thread; `receive` must deliver chunks that are used before their message was read. */
export function createAnswerer(
  memory: AnswerMemory,
  settings: AnswerSettings,
  receive: () => void,
): { answerer: Answerer; parts: AnswerParts } {
  const reader = new StoreReader(memory.store, memory.reader, receive);
  const seed = randomSeed();
  const parts: AnswerParts = {
    reader,
    board: new Int32Array(memory.board),
    counters: new Float64Array(memory.counters),
    zoneCounters: new Float64Array(memory.zoneCounters),
    notes: new Float64Array(memory.notes),
    random: new RandomWords(seed),
    clock: systemClock,
    steadyMs: steadyClock(settings.steadyEpochMs),
    cookies: settings.cookieSecrets.length > 0 ? new Cookies(settings.cookieSecrets) : null,
    rate: settings.rate === null ? null : new RateLimiter(settings.rate, memory.rateSeed, memory.rateTable),
    edns: { udpSize: settings.udpMaxBytes, nsid: settings.nsid, keepalive: settings.keepalive },
    identity: { version: settings.version, hostname: settings.hostname },
    udpMaxBytes: settings.udpMaxBytes,
    udpMaxBytesWithoutCookie: settings.udpMaxBytesWithoutCookie,
  };
  return { answerer: new Answerer(parts), parts };
}

/** Does what a message says. Returns false when it says stop. */
export function takeMessage(message: ThreadMessage, { reader, cookies }: AnswerParts): boolean {
  switch (message.kind) {
    case 'chunk':
      reader.addChunk(message.index, message.buffer);
      return true;
    case 'secrets':
      cookies?.replaceSecrets(message.secrets);
      return true;
    case 'stop':
      return false;
  }
}

/** Takes all messages that wait at a port, without an event loop. Returns false when one of them says stop. */
export function takeMessages(port: MessagePort, parts: AnswerParts): boolean {
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: ThreadMessage } | undefined;
    if (received === undefined) return true;
    if (!takeMessage(received.message, parts)) return false;
  }
}
