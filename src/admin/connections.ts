// The admin's connections: how many, of whom, one request after the other on each, and none for clients that don't read.
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { formatAddress, maskAddress, parseAddress } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { placedAddress } from '../geo/embedded.ts';
import { PacedSocket } from './paced-socket.ts';

/** Who counts as one client: an IPv4 address, or the network that one IPv6 customer has. */
export function clientOf(remoteAddress: string | undefined): string {
  const address = parseAddress((remoteAddress ?? '').replace(/%.*$/, ''));
  if (address === undefined) return '';
  const placed = placedAddress(address);
  return formatAddress(placed.family === 4 ? placed : maskAddress(placed, limits.clientPrefix6));
}

interface Connection {
  readonly socket: PacedSocket;
  readonly client: string;
  /** A request is being answered. */
  isBusy: boolean;
  /** Requests that came ahead of their turn. */
  readonly ahead: (() => void)[];
  /** An event stream: it may be behind for ever, as long as its client reads. */
  isEndless: boolean;
  takenBytes: number;
  stalledLooks: number;
  unreadLooks: number;
}

/** What happened to connections so far, and how many are open. */
export interface ConnectionCounts {
  readonly open: number;
  readonly refusedOfClient: number;
  readonly refusedInAll: number;
  /** Nothing read for too long; too slow; the most unread when there was too much of it in all. */
  readonly closed: Readonly<Record<CloseReason, number>>;
}

type CloseReason = 'stalled' | 'slow' | 'unread';

export class Connections {
  readonly #clock: Clock;
  readonly #open = new Map<Duplex, Connection>();
  readonly #perClient = new Map<string, number>();
  readonly #closed: Record<CloseReason, number> = { stalled: 0, slow: 0, unread: 0 };
  /** Connections whose request has been answered: their next one may come. */
  readonly #answered: Connection[] = [];
  #refusedOfClient = 0;
  #refusedInAll = 0;
  #cancelLook: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  counts(): ConnectionCounts {
    return {
      open: this.#open.size,
      refusedOfClient: this.#refusedOfClient,
      refusedInAll: this.#refusedInAll,
      closed: this.#closed,
    };
  }

  /** Counts the connections of a server from now on, and closes those that are too many. */
  watch(server: Server): void {
    const [serve] = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      const paced = this.#take(socket);
      // Node's documentation: whatever is a Duplex may be handed to a server as a connection.
      if (paced !== null) serve!.call(server, paced);
    });
  }

  /** Hands requests to `answer`, those of one connection one after the other (RFC 9112 9.3.2). */
  inTurn(answer: RequestListener): RequestListener {
    return (request, response) => {
      const connection = this.#open.get(request.socket);
      if (connection === undefined) return;
      if (!connection.isBusy) this.#begin(connection, request, response, answer);
      else {
        connection.ahead.push(() => this.#begin(connection, request, response, answer));
        connection.socket.hold(true);
      }
    };
  }

  /** What is sent on this connection has no end. */
  endless(socket: Duplex): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) connection.isEndless = true;
  }

  stop(): void {
    this.#cancelLook?.();
    this.#cancelLook = null;
  }

  /** null: one too many. */
  #take(socket: Socket): PacedSocket | null {
    const client = clientOf(socket.remoteAddress);
    const own = this.#perClient.get(client) ?? 0;
    // Who waits for nothing makes way for who wants something.
    if (own >= limits.adminConnectionsPerClient && !this.#closeIdle((idle) => idle.client === client)) {
      this.#refusedOfClient++;
      socket.destroy();
      return null;
    }
    if (this.#open.size >= limits.adminConnections && !this.#closeIdle(() => true)) {
      this.#refusedInAll++;
      socket.destroy();
      return null;
    }
    this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1);
    const paced = new PacedSocket(socket);
    this.#open.set(paced, {
      socket: paced,
      client,
      isBusy: false,
      ahead: [],
      isEndless: false,
      takenBytes: 0,
      stalledLooks: 0,
      unreadLooks: 0,
    });
    paced.once('close', () => this.#forget(paced));
    this.#cancelLook ??= this.#clock.after(limits.adminLookMs, () => this.#look());
    return paced;
  }

  /** Closes the oldest idle connection. Returns whether there was one. */
  #closeIdle(fits: (connection: Connection) => boolean): boolean {
    for (const connection of this.#open.values()) {
      if (connection.isBusy || !fits(connection)) continue;
      connection.socket.destroy();
      this.#forget(connection.socket);
      return true;
    }
    return false;
  }

  #forget(socket: PacedSocket): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    this.#open.delete(socket);
    connection.ahead.length = 0;
    const left = this.#perClient.get(connection.client)! - 1;
    if (left === 0) this.#perClient.delete(connection.client);
    else this.#perClient.set(connection.client, left);
    if (this.#open.size === 0) this.stop();
  }

  #begin(connection: Connection, request: IncomingMessage, response: ServerResponse, answer: RequestListener): void {
    connection.isBusy = true;
    response.once('close', () => {
      this.#answered.push(connection);
      if (this.#answered.length === 1) setImmediate(() => this.#goOn());
    });
    answer(request, response);
  }

  /** A slice of the next requests in each turn of the event loop: who sends and never reads would keep it for thousands of answers. */
  #goOn(): void {
    const untilMs = this.#clock.monotonicMs() + limits.sliceMs;
    let done = 0;
    for (const connection of this.#answered) {
      this.#next(connection);
      done++;
      if (this.#clock.monotonicMs() >= untilMs) break;
    }
    this.#answered.splice(0, done);
    if (this.#answered.length > 0) setImmediate(() => this.#goOn());
  }

  #next(connection: Connection): void {
    const next = connection.ahead.shift();
    if (next === undefined) connection.isBusy = false;
    else next();
    if (connection.ahead.length === 0) connection.socket.hold(false);
  }

  #close(connection: Connection, why: CloseReason): void {
    this.#closed[why]++;
    connection.socket.destroy();
    this.#forget(connection.socket);
  }

  /** Now and then while somebody is connected: who doesn't read? */
  #look(): void {
    this.#cancelLook = null;
    let unreadBytes = 0;
    for (const connection of this.#open.values()) {
      const { socket } = connection;
      unreadBytes += socket.writableLength;
      const isStalled = socket.writableLength > 0 && socket.takenBytes === connection.takenBytes;
      connection.takenBytes = socket.takenBytes;
      connection.stalledLooks = isStalled ? connection.stalledLooks + 1 : 0;
      connection.unreadLooks = socket.writableLength > 0 && !connection.isEndless ? connection.unreadLooks + 1 : 0;
      if (connection.stalledLooks >= limits.adminStalledLooks) this.#close(connection, 'stalled');
      else if (connection.unreadLooks >= limits.adminSlowLooks) this.#close(connection, 'slow');
    }
    if (unreadBytes > limits.adminUnreadBytesInAll) this.#closeUnread(unreadBytes);
    if (this.#open.size > 0) this.#cancelLook = this.#clock.after(limits.adminLookMs, () => this.#look());
  }

  #closeUnread(unreadBytes: number): void {
    let left = unreadBytes;
    const most = [...this.#open.values()].sort((a, b) => b.socket.writableLength - a.socket.writableLength);
    for (const connection of most) {
      if (left <= limits.adminUnreadBytesInAll) return;
      left -= connection.socket.writableLength;
      this.#close(connection, 'unread');
    }
  }
}
