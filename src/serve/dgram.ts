// UDP through node:dgram, where libc can't be called: one event per datagram, the same answers.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { type Responder, TRANSPORT_UDP } from '../answer/port.ts';
import { formatAddress } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import { UDP_BATCHES, UDP_PORT_ZERO, UDP_RECEIVED, UDP_SEND_FAILED, UDP_SENT, UDP_SILENT } from './counters.ts';
import { type ListenAddress, type ListenFailure, listenMessage } from './listen.ts';
import { fillPeer } from './peer.ts';

export interface DgramServerOptions {
  readonly responder: Responder;
  /** A row of SERVE_COUNTERS. */
  readonly counters: Float64Array;
}

export class DgramServer {
  readonly #responder: Responder;
  readonly #counters: Float64Array;
  readonly #sockets: Socket[] = [];
  /** The packet that is being answered: a datagram arrives in memory of its own length, without room for an answer. */
  readonly #packet = new Uint8Array(Math.max(limits.udpRequestBytes + 1, limits.udpResponseBytes));

  constructor(options: DgramServerOptions) {
    this.#responder = options.responder;
    this.#counters = options.counters;
  }

  /** Listens on one more address. Returns the port, or why it can't be. */
  async listen(listen: ListenAddress): Promise<number | ListenFailure> {
    const { address, port } = listen;
    const wildcard = address.bytes.every((byte) => byte === 0);
    try {
      const text = formatAddress(address);
      const first = await this.#open(address.family, text, port, false);
      if (!wildcard) return this.#serve(first);
      // dgram can't tell which address a packet was sent to, so each address of the machine has its own socket; the wildcard
      // takes the rest. Sharing a port takes SO_REUSEADDR, which would hide that another program has it: hence `first`.
      const chosen = first.address().port;
      await new Promise<void>((resolve) => first.close(resolve));
      for (const own of [...ownAddresses(address.family), text]) {
        this.#serve(await this.#open(address.family, own, chosen, true));
      }
      return chosen;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      return { listen, code, message: listenMessage(listen, code, 'UDP') };
    }
  }

  /** Stops listening everywhere. */
  async close(): Promise<void> {
    await Promise.all(this.#sockets.splice(0).map((socket) => new Promise<void>((done) => socket.close(done))));
  }

  #open(family: 4 | 6, address: string, port: number, reuseAddr: boolean): Promise<Socket> {
    const socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      ipv6Only: family === 6,
      reuseAddr,
      recvBufferSize: limits.udpReceiveBufferBytes,
    });
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address, port, exclusive: true }, () => {
        socket.removeAllListeners('error');
        resolve(socket);
      });
    });
  }

  #serve(socket: Socket): number {
    this.#sockets.push(socket);
    socket.on('message', (message, from) => this.#answer(socket, message, from));
    // What a receive reports (an ICMP error, no memory) is over with the packet that it was about.
    socket.on('error', () => {});
    return socket.address().port;
  }

  #answer(socket: Socket, message: Buffer, from: RemoteInfo): void {
    const counters = this.#counters;
    counters[UDP_RECEIVED]! += 1;
    counters[UDP_BATCHES]! += 1;
    if (from.port === 0 || !fillPeer(this.#responder.peer, from.address, from.port)) {
      counters[UDP_PORT_ZERO]! += 1;
      return;
    }
    const request = Math.min(message.length, limits.udpRequestBytes + 1);
    this.#packet.set(message.length === request ? message : message.subarray(0, request));
    this.#responder.beginBatch();
    const takenMs = this.#responder.isTimed ? performance.now() : 0;
    const length = this.#responder.respond(this.#packet, 0, request, limits.udpResponseBytes, TRANSPORT_UDP);
    this.#responder.endBatch();
    if (length <= 0) {
      counters[UDP_SILENT]! += 1;
      return;
    }
    // A copy, since the send may outlive this call when the kernel has no room.
    socket.send(Buffer.from(this.#packet.subarray(0, length)), from.port, from.address, (error) => {
      counters[error ? UDP_SEND_FAILED : UDP_SENT]! += 1;
    });
    if (this.#responder.isTimed) this.#responder.took((performance.now() - takenMs) / 1000, 1);
  }
}

/** The addresses that the machine has now, those of one link with their zone. */
function ownAddresses(family: 4 | 6): string[] {
  const own: string[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { address, family: kind, ...rest } of addresses ?? []) {
      if (kind !== `IPv${family}`) continue;
      own.push('scopeid' in rest && rest.scopeid ? `${address}%${name}` : address);
    }
  }
  return own;
}
