// Tells secondaries that a zone has changed (NOTIFY, RFC 1996), again and again until they say that they heard it.
import { randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { NotifyView } from '../api/views.ts';
import { formatAddress, isLoopback, parseAddress } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { ListenAddress } from '../serve/listen.ts';
import { rcodeToText } from '../wire/types.ts';
import type { Transfer } from '../zone/model.ts';
import { isNotifyReply, notifyMessage } from './notify-message.ts';

type Secondary = Transfer['notify'][number];

/** A zone as it was published. */
export interface NotifiedZone {
  readonly name: string;
  readonly serial: number;
  /** Its linked image; read during the call alone. */
  readonly image: Int32Array;
  readonly secondaries: readonly Secondary[];
}

export interface NotifierOptions {
  /** Where queries are taken: secondaries know their primary by that address. */
  readonly listen: () => readonly ListenAddress[];
  readonly clock: Clock;
  readonly log: Logger;
}

export interface NotifyTotals {
  /** Messages, repetitions included. */
  readonly notifySent: number;
  readonly notifyAcknowledged: number;
  /** Secondaries that were given up. */
  readonly notifyFailed: number;
}

/** What one secondary is told of one zone. */
interface Notice {
  readonly zone: string;
  readonly serial: number;
  readonly secondary: Secondary;
  /** `192.0.2.54:53` */
  readonly text: string;
  readonly message: Uint8Array;
  state: NotifyView['state'];
  tries: number;
  atMs: number | null;
  reason: string | null;
  cancel: (() => void) | null;
}

export class Notifier {
  readonly #options: NotifierOptions;
  /** By zone and secondary: the last of each. */
  readonly #notices = new Map<string, Map<string, Notice>>();
  /** Those that no answer has come to, by id and secondary. */
  readonly #open = new Map<string, Notice>();
  /** Those whose next try is due. */
  readonly #due: Notice[] = [];
  /** Sent since the last pause began, and what cancels that. */
  #burst = 0;
  #cancelPause: (() => void) | null = null;
  readonly #sockets = new Map<string, Socket>();
  #sent = 0;
  #acknowledged = 0;
  #failed = 0;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /** Tells a zone's secondaries of its version; what they were still to be told of an older one is void. */
  announce(zone: NotifiedZone): void {
    this.forget(zone.name);
    if (zone.secondaries.length === 0) return;
    const message = notifyMessage(zone.image);
    const notices = new Map<string, Notice>();
    for (const secondary of zone.secondaries) {
      const text = endpointText(secondary);
      if (notices.has(text)) continue;
      const notice: Notice = {
        zone: zone.name,
        serial: zone.serial,
        secondary,
        text,
        message: this.#withId(message, text),
        state: 'waiting',
        tries: 0,
        atMs: null,
        reason: null,
        cancel: null,
      };
      notices.set(text, notice);
      this.#open.set(openKey(notice.message, text), notice);
      this.#due.push(notice);
    }
    this.#notices.set(zone.name, notices);
    this.#work();
  }

  /** The zone is gone: nobody is told anything of it any more. */
  forget(zone: string): void {
    for (const notice of this.#notices.get(zone)?.values() ?? []) this.#close(notice);
    this.#notices.delete(zone);
  }

  /** How it stands with a zone's secondaries. */
  views(zone: string): NotifyView[] {
    return [...(this.#notices.get(zone)?.values() ?? [])].map(({ text, serial, state, tries, atMs, reason }) => ({
      secondary: text,
      serial,
      state,
      tries,
      at: atMs === null ? null : new Date(atMs).toISOString(),
      reason,
    }));
  }

  totals(): NotifyTotals {
    return { notifySent: this.#sent, notifyAcknowledged: this.#acknowledged, notifyFailed: this.#failed };
  }

  stop(): void {
    for (const zone of [...this.#notices.keys()]) this.forget(zone);
  }

  /** The message with an id that no other open notice to this secondary has. */
  #withId(message: Uint8Array, text: string): Uint8Array {
    const own = message.slice();
    do {
      const id = randomInt(65_536);
      own[0] = id >> 8;
      own[1] = id;
    } while (this.#open.has(openKey(own, text)));
    return own;
  }

  /** Sends what is due, some at a time. */
  #work(): void {
    while (this.#burst < limits.notifyBurst) {
      const notice = this.#due.shift();
      if (notice === undefined) return;
      if (notice.state !== 'waiting') continue;
      this.#burst++;
      this.#cancelPause ??= this.#options.clock.after(limits.notifyPauseMs, () => {
        this.#rest();
        this.#work();
      });
      this.#send(notice);
    }
  }

  /** The next may be sent at once. */
  #rest(): void {
    this.#cancelPause?.();
    this.#cancelPause = null;
    this.#burst = 0;
  }

  #send(notice: Notice): void {
    const { clock } = this.#options;
    const { secondary } = notice;
    const waitMs = Math.min(limits.notifyFirstWaitMs * 2 ** notice.tries, limits.notifyLongestWaitMs);
    notice.tries++;
    notice.atMs = clock.nowMs();
    this.#sent++;
    notice.cancel = clock.after(waitMs, () => this.#again(notice));
    this.#socket(secondary).send(notice.message, secondary.port, formatAddress(secondary.address), (error) => {
      if (error !== null) notice.reason = error.message;
    });
  }

  /** No good answer came in time. */
  #again(notice: Notice): void {
    if (notice.tries < limits.notifyTries) {
      this.#due.push(notice);
      this.#work();
      return;
    }
    notice.state = 'failed';
    notice.reason ??= 'no answer';
    this.#failed++;
    const { zone, text, serial, reason } = notice;
    this.#options.log.warn(
      { event: 'notify-failed', zone, secondary: text, serial, reason },
      'a secondary did not take a NOTIFY',
    );
    this.#close(notice);
  }

  #receive(bytes: Uint8Array, from: RemoteInfo): void {
    const address = parseAddress(from.address.replace(/%.*/, ''));
    if (address === undefined || bytes.length < 2) return;
    const notice = this.#open.get(openKey(bytes, endpointText({ address, port: from.port })));
    if (notice === undefined || !isNotifyReply(bytes, notice.message)) return;
    const rcode = bytes[3]! & 15;
    if (rcode !== 0) {
      // RFC 1996 3.8 calls any answer the end of it; but a secondary that starts says NOTAUTH or SERVFAIL, and means "not yet".
      notice.reason = `it answered ${rcodeToText(rcode)}`;
      return;
    }
    notice.state = 'acknowledged';
    notice.atMs = this.#options.clock.nowMs();
    notice.reason = null;
    this.#acknowledged++;
    const { zone, text, serial } = notice;
    this.#options.log.info(
      { event: 'notify-acknowledged', zone, secondary: text, serial },
      'a secondary knows of the new version',
    );
    this.#close(notice);
  }

  /** Ends the tries. */
  #close(notice: Notice): void {
    if (notice.state === 'waiting') notice.state = 'failed';
    notice.cancel?.();
    notice.cancel = null;
    this.#open.delete(openKey(notice.message, notice.text));
    if (this.#open.size > 0) return;
    this.#rest();
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** The socket that secondaries at such addresses are told from. */
  #socket({ address }: Secondary): Socket {
    const source = sourceFor(address, this.#options.listen());
    const key = `${address.family} ${source ?? ''}`;
    const known = this.#sockets.get(key);
    if (known !== undefined) return known;
    const socket = createSocket({ type: address.family === 4 ? 'udp4' : 'udp6', ipv6Only: address.family === 6 });
    this.#sockets.set(key, socket);
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
    socket.on('error', (error) => {
      this.#options.log.warn({ event: 'notify-socket', source, error: error.message }, 'a socket for NOTIFY failed');
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
      socket.close();
    });
    socket.bind({ port: 0, ...(source === undefined ? {} : { address: source }) });
    return socket;
  }
}

function openKey(message: Uint8Array, text: string): string {
  return `${(message[0]! << 8) | message[1]!} ${text}`;
}

function endpointText({ address, port }: Secondary): string {
  const text = formatAddress(address);
  return address.family === 4 ? `${text}:${port}` : `[${text}]:${port}`;
}

/** The first listening address that can reach `address`; undefined: the kernel's choice. */
function sourceFor(address: Secondary['address'], listen: readonly ListenAddress[]): string | undefined {
  const found = listen.find(
    (one) =>
      one.address.family === address.family &&
      one.address.bytes.some((byte) => byte !== 0) &&
      isLoopback(one.address) === isLoopback(address),
  );
  return found && formatAddress(found.address);
}
