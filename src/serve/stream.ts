// DNS over TCP (RFC 7766, 9210): accepts connections, keeps their number and their memory bounded, closes the idle ones.
import { createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { emptyPeer, type Responder } from '../answer/port.ts';
import { formatAddress } from '../base/address.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { ClientCounts } from './clients.ts';
import { Connection, GATHERED_BYTES } from './connection.ts';
import {
  TCP_ACCEPTED,
  TCP_CLOSED_IDLE,
  TCP_CLOSED_UNREAD,
  TCP_OPEN,
  TCP_REFUSED_CLIENT,
  TCP_REFUSED_FULL,
} from './counters.ts';
import { type ListenAddress, type ListenFailure, listenMessage } from './listen.ts';
import { fillPeer } from './peer.ts';

export interface StreamServerOptions {
  readonly responder: Responder;
  /** A row of SERVE_COUNTERS. */
  readonly counters: Float64Array;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
  /** A connection is closed when this long no request was completed and no answer was read. */
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerClient: number;
  /** What one client is: the networks of these lengths. */
  readonly ipv4PrefixBits: number;
  readonly ipv6PrefixBits: number;
}

export class StreamServer {
  readonly #options: StreamServerOptions;
  readonly #servers: Server[] = [];
  readonly #gathered = new Uint8Array(GATHERED_BYTES);
  readonly #clients: ClientCounts;
  /** All connections; those that made progress longest ago come first. */
  readonly #connections = new Set<Connection>();
  /** Those whose clients leave answers unread, the first of them first, with the bytes that wait. */
  readonly #blocked = new Map<Connection, number>();
  #blockedBytes = 0;
  #cancelSweep: (() => void) | undefined;
  #closed: (() => void) | undefined;

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#clients = new ClientCounts(options.ipv4PrefixBits, options.ipv6PrefixBits);
  }

  /** Serves a listening socket and closes it in the end (see OpenSockets.duplicate). Rejects when it is none. */
  async listenFd(fd: number): Promise<void> {
    await this.#listen({ fd });
  }

  /** Listens on one more address. Returns the port, or why it can't be. */
  async listen(listen: ListenAddress): Promise<number | ListenFailure> {
    try {
      const { address, port } = listen;
      const host = formatAddress(address);
      return await this.#listen({ host, port, ipv6Only: address.family === 6, exclusive: true });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      return { listen, code, message: listenMessage(listen, code, 'TCP') };
    }
  }

  /**
   * Accepts nothing more, and closes every connection: those that are there may go on asking for `goOnMs`, then what was read is
   * answered, within limits.tcpGraceMs. Called again while it waits, the shorter time holds.
   */
  async close(goOnMs = 0): Promise<void> {
    for (const server of this.#servers.splice(0)) server.close();
    if (goOnMs > 0) await this.#empty(goOnMs);
    this.#cancelSweep?.();
    this.#cancelSweep = () => {};
    if (this.#connections.size === 0) return;
    for (const connection of this.#connections) connection.finish();
    await this.#empty(limits.tcpGraceMs);
    for (const connection of this.#connections) connection.destroy();
  }

  /** Resolves when no connection is open, or after some time. */
  #empty(withinMs: number): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(withinMs, resolve);
      this.#closed = () => {
        cancel();
        resolve();
      };
    });
  }

  #listen(options: ListenOptions | { fd: number }): Promise<number> {
    // Half-open: a client may send its last question and its FIN together, and wait for the answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      // As an argument: beside `fd`, Node overlooks the option of that name and takes 511.
      server.listen(options, limits.tcpBacklog, () => {
        server.removeListener('error', reject);
        // accept() fails for want of descriptors: libuv drops the connection and goes on.
        server.on('error', () => {});
        this.#servers.push(server);
        const bound = server.address();
        resolve(bound !== null && typeof bound === 'object' ? bound.port : 0);
      });
    });
  }

  #accept(socket: Socket): void {
    const { counters, maxConnections, maxConnectionsPerClient, responder } = this.#options;
    socket.on('error', () => {});
    const peer = emptyPeer();
    // Without an address the client has gone already.
    if (!fillPeer(peer, socket.remoteAddress ?? '', socket.remotePort ?? 0)) {
      socket.destroy();
      return;
    }
    const network = this.#clients.networkOf(peer);
    if (this.#clients.of(network) >= maxConnectionsPerClient) {
      counters[TCP_REFUSED_CLIENT]! += 1;
      socket.destroy();
      return;
    }
    if (this.#connections.size >= maxConnections) {
      counters[TCP_REFUSED_FULL]! += 1;
      if (!this.#makeRoom()) {
        socket.destroy();
        return;
      }
    }
    counters[TCP_ACCEPTED]! += 1;
    counters[TCP_OPEN]! += 1;
    this.#clients.add(network);
    const connection = new Connection(socket, peer, {
      responder,
      counters,
      gathered: this.#gathered,
      onProgress: () => this.#touch(connection),
      onBlocked: (bytes) => this.#block(connection, bytes),
      onUnblocked: () => this.#unblock(connection),
    });
    this.#touch(connection);
    socket.once('close', () => {
      counters[TCP_OPEN]! -= 1;
      this.#clients.remove(network);
      this.#unblock(connection);
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#closed?.();
    });
  }

  /** Closes the connection that is idle the longest, so that idle ones can't lock others out. */
  #makeRoom(): boolean {
    for (const connection of this.#connections) {
      if (connection.busy) continue;
      this.#connections.delete(connection);
      connection.destroy();
      return true;
    }
    return false;
  }

  #touch(connection: Connection): void {
    connection.progressMs = this.#options.clock.monotonicMs();
    this.#connections.delete(connection);
    this.#connections.add(connection);
    if (this.#cancelSweep === undefined) this.#sweepIn(this.#options.idleTimeoutMs);
  }

  #sweepIn(delayMs: number): void {
    this.#cancelSweep = this.#options.clock.after(delayMs, () => this.#sweep());
  }

  /** Closes what has been idle for too long, and comes back when the next one could be. */
  #sweep(): void {
    this.#cancelSweep = undefined;
    const { clock, idleTimeoutMs, counters } = this.#options;
    const now = clock.monotonicMs();
    for (const connection of this.#connections) {
      const leftMs = connection.progressMs + idleTimeoutMs - now;
      // Timers fire up to a millisecond early.
      if (leftMs > 1) {
        this.#sweepIn(leftMs);
        return;
      }
      if (connection.busy) {
        this.#touch(connection);
        continue;
      }
      counters[connection.blocked ? TCP_CLOSED_UNREAD : TCP_CLOSED_IDLE]! += 1;
      connection.destroy();
      this.#connections.delete(connection);
    }
  }

  #block(connection: Connection, bytes: number): void {
    this.#unblock(connection);
    this.#blocked.set(connection, bytes);
    this.#blockedBytes += bytes;
    for (const longest of this.#blocked.keys()) {
      if (this.#blockedBytes <= limits.tcpUnreadBytesInAll) return;
      this.#options.counters[TCP_CLOSED_UNREAD]! += 1;
      this.#unblock(longest);
      longest.destroy();
    }
  }

  #unblock(connection: Connection): void {
    this.#blockedBytes -= this.#blocked.get(connection) ?? 0;
    this.#blocked.delete(connection);
  }
}
