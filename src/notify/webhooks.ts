// Events for other programs: each event as a signed POST, tried again until it is taken, in order.

import { createHmac } from 'node:crypto';
import type { Clock, Random } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { post, UnreadableAnswer } from './post.ts';

export interface Webhook {
  readonly url: string;
  /** Key of the signature; null: not signed. */
  readonly secret: Uint8Array | null;
}

export interface WebhooksOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly hooks: readonly Webhook[];
}

/** Delivers events to the hooks, each hook with a queue and a pace of its own. */
export class Webhooks {
  readonly #lines: readonly Line[];

  constructor(options: WebhooksOptions) {
    this.#lines = options.hooks.map((hook) => new Line(hook, options));
  }

  /** Queues an event (any JSON object) for every hook. */
  send(event: object): void {
    const body = JSON.stringify(event);
    for (const line of this.#lines) line.push(body);
  }

  /** Ends what is under way; what is queued is lost. */
  stop(): void {
    for (const line of this.#lines) line.stop();
  }
}

/** The signature of a body sent at `seconds`: HMAC-SHA256 over `SECONDS.BODY`, so that a recorded POST can't be used again later. */
export function signature(secret: Uint8Array, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

class Line {
  readonly #hook: Webhook;
  readonly #options: WebhooksOptions;
  readonly #queue: string[] = [];
  #tries = 0;
  #dropped = 0;
  #busy = false;
  #stopped = false;
  #cancelWait: (() => void) | null = null;
  #sending: AbortController | null = null;

  constructor(hook: Webhook, options: WebhooksOptions) {
    this.#hook = hook;
    this.#options = options;
  }

  push(body: string): void {
    if (this.#stopped) return;
    if (this.#queue.length >= limits.webhookQueue) {
      // The first may be on its way just now.
      this.#queue.splice(this.#busy ? 1 : 0, 1);
      if (this.#dropped++ === 0)
        this.#options.log.warn(
          { event: 'webhook-queue-full', url: this.#hook.url },
          'webhook takes too long, its oldest events are dropped',
        );
    }
    this.#queue.push(body);
    if (!this.#busy) void this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWait?.();
    this.#sending?.abort();
  }

  async #next(): Promise<void> {
    this.#busy = true;
    while (this.#queue.length > 0 && !this.#stopped) {
      const verdict = await this.#post(this.#queue[0]!);
      if (this.#stopped) return;
      if (verdict === 'again' && ++this.#tries < limits.webhookTries) {
        await this.#wait();
        continue;
      }
      if (verdict !== 'taken')
        this.#options.log.error(
          { event: 'webhook-failed', url: this.#hook.url, tries: this.#tries },
          'webhook did not take an event, it is dropped',
        );
      else this.#dropped = 0;
      this.#queue.shift();
      this.#tries = 0;
    }
    this.#busy = false;
  }

  async #post(body: string): Promise<'taken' | 'again' | 'refused'> {
    const { clock, log } = this.#options;
    const { url, secret } = this.#hook;
    const seconds = Math.floor(clock.nowMs() / 1000);
    const headers: Record<string, string> = { 'content-type': 'application/json', 'user-agent': 'meridian' };
    if (secret !== null) headers['meridian-signature'] = signature(secret, seconds, body);
    this.#sending = new AbortController();
    const controller = this.#sending;
    const cancel = clock.after(limits.webhookTimeoutMs, () => controller.abort());
    try {
      const status = await post(url, headers, body, controller.signal);
      if (status >= 200 && status < 300) return 'taken';
      log.warn({ event: 'webhook-status', url, status }, 'webhook answered with an error');
      // RFC 9110 15.5: what the client did wrong it would do wrong again, and a redirect would be another's; these three are about time.
      return status < 500 && status !== 408 && status !== 425 && status !== 429 ? 'refused' : 'again';
    } catch (error) {
      if (error instanceof UnreadableAnswer) {
        // The event was heard; saying it again would bring the same answer.
        log.warn(
          { event: 'webhook-status', url, status: 0, error: error.message },
          'webhook answered with what is no HTTP',
        );
        return 'refused';
      }
      if (!this.#stopped)
        log.warn({ event: 'webhook-unreachable', url, error: String(error) }, 'webhook could not be reached');
      return 'again';
    } finally {
      cancel();
    }
  }

  /** Doubling waits, each with up to a fifth less, so that hooks that failed together don't come back together. */
  #wait(): Promise<void> {
    const full = Math.min(limits.webhookLongestWaitMs, limits.webhookFirstWaitMs * 2 ** (this.#tries - 1));
    return new Promise((resolve) => {
      this.#cancelWait = this.#options.clock.after(full * (1 - 0.2 * this.#options.random()), resolve);
    });
  }
}
