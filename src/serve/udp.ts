// The UDP loop of a data thread: waits in the kernel, takes datagrams in batches, answers each in place, sends the batch.

import type { Responder } from '../answer/port.ts';
import { TRANSPORT_UDP } from '../answer/port.ts';
import { isLoopbackWords } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import * as abi from './abi.ts';
import { Arena, type Lane } from './arena.ts';
import type { BellEnd } from './bell.ts';
import { Coalescing } from './coalescing.ts';
import {
  UDP_BATCHES,
  UDP_GATHERED,
  UDP_PORT_ZERO,
  UDP_RECEIVED,
  UDP_SEND_FAILED,
  UDP_SENT,
  UDP_SILENT,
} from './counters.ts';
import type { Ffi } from './ffi.ts';
import type { Priority } from './priority.ts';
import type { UdpSocket } from './sockets.ts';

export interface UdpLoopOptions {
  readonly ffi: Ffi;
  readonly sockets: readonly UdpSocket[];
  readonly bell: BellEnd;
  /** Called when the bell rang, and now and then while nothing comes in (limits.idleWaitMs): false stops the loop. */
  readonly onBell: () => boolean;
  readonly responder: Responder;
  readonly priority: Priority;
  /** A word that changes with every round, for who watches whether the thread still goes round. */
  readonly beat: Int32Array;
  /** A row of SERVE_COUNTERS. */
  readonly counters: Float64Array;
}

interface Served {
  readonly fd: number;
  readonly lane: Lane;
}

export class UdpLoop {
  readonly #ffi: Ffi;
  readonly #arena: Arena;
  readonly #served: readonly Served[];
  readonly #responder: Responder;
  readonly #counters: Float64Array;
  readonly #coalescing = new Coalescing();
  readonly #priority: Priority;
  readonly #beat: Int32Array;
  readonly #onBell: () => boolean;
  readonly #bellFd: number;
  readonly #rings: Int32Array;
  /** How many rings were heard. */
  #heard = 0;
  /** A socket filled its batch: it has more. */
  #backlog = false;
  /** Packets queue up all the time, not only after a pause. */
  #loaded = false;
  /** The pollfds, sockets first and the bell last, and behind them 8 bytes to read the bell into. */
  readonly #pollMemory: Buffer;
  readonly #pollAddress: number;

  constructor(options: UdpLoopOptions) {
    const { ffi, sockets, bell } = options;
    this.#ffi = ffi;
    this.#responder = options.responder;
    this.#priority = options.priority;
    this.#counters = options.counters;
    this.#beat = options.beat;
    this.#onBell = options.onBell;
    this.#bellFd = bell.fd;
    this.#rings = new Int32Array(bell.rings);
    this.#arena = new Arena(ffi, limits.udpBatch);
    this.#served = sockets.map(({ fd, family, wildcard }) => ({ fd, lane: this.#arena.lane(family, wildcard) }));

    const { pollfd } = ffi.abi;
    this.#pollMemory = Buffer.allocUnsafeSlow(Math.max(128, (sockets.length + 1) * pollfd.size + 8)).fill(0);
    this.#pollAddress = ffi.addressOf(this.#pollMemory);
    [...sockets.map((socket) => socket.fd), bell.fd].forEach((fd, i) => {
      this.#pollMemory.writeInt32LE(fd, i * pollfd.size + pollfd.fd);
      this.#pollMemory.writeInt16LE(abi.POLLIN, i * pollfd.size + pollfd.events);
    });
  }

  /**
   * Serves until `onBell` returns false; blocks the thread. Throws where a descriptor is not what it should be: then the thread
   * should end, and another take its sockets.
   */
  run(): void {
    const ffi = this.#ffi;
    const { peer } = this.#responder;
    const alone = this.#served.length === 1;
    let gather = false;
    ffi.finerSleep();
    for (;;) {
      if (gather) {
        ffi.usleep(limits.coalesceUs);
        this.#counters[UDP_GATHERED]! += 1;
      }
      this.#beat[0]! += 1;
      const received = alone ? this.#takeOne() : this.#takeReady();
      if ((received === 0 || Atomics.load(this.#rings, 0) !== this.#heard) && !this.#listens()) break;
      this.#loaded = this.#coalescing.coalesces(received);
      gather = this.#loaded && !this.#backlog;
      // The last peer stands for all: those who ask from this machine do it by the thousand.
      this.#priority.received(received, isLoopbackWords(peer.family, peer.w0, peer.w1, peer.w2, peer.w3));
    }
    for (const socket of this.#served) {
      for (
        let rounds = 0;
        rounds < limits.udpLastBatches && this.#serve(socket, abi.MSG_DONTWAIT) === limits.udpBatch;
        rounds++
      );
    }
  }

  /** Looks what the bell was rung for. Returns false when the loop should end. */
  #listens(): boolean {
    this.#heard = Atomics.load(this.#rings, 0);
    return this.#onBell();
  }

  /**
   * Waits on the only socket and serves one batch of it: one system call less than with poll, which is a tenth of what a query
   * costs where they come one at a time (docs/performance.md). A ring is seen with the next query, or after `limits.idleWaitMs`.
   */
  #takeOne(): number {
    const received = this.#serve(this.#served[0]!, abi.MSG_WAITFORONE);
    this.#backlog = received === limits.udpBatch;
    return received;
  }

  /** Waits on all sockets and the bell, and serves one batch of each that has something: none starves another. */
  #takeReady(): number {
    const sockets = this.#served.length;
    // With a backlog poll only looks, at the other sockets and the bell.
    const ready = this.#ffi.poll(this.#pollAddress, sockets + 1, this.#backlog ? 0 : limits.idleWaitMs);
    this.#backlog = false;
    if (ready < 0) {
      if (this.#ffi.errno() === abi.EINTR) return 0;
      throw new Error(`poll failed: errno ${this.#ffi.errno()}`);
    }
    // Takes the ring off the bell.
    if (this.#events(sockets) !== 0) this.#ffi.read(this.#bellFd, this.#pollAddress + this.#pollMemory.length - 8, 8);
    let received = 0;
    for (let i = 0; i < sockets; i++) {
      const events = this.#events(i);
      if (events === 0) continue;
      if ((events & abi.POLLNVAL) !== 0) throw new Error(`fd ${this.#served[i]!.fd} is not open`);
      const taken = this.#serve(this.#served[i]!, abi.MSG_DONTWAIT);
      received += taken;
      if (taken === limits.udpBatch) this.#backlog = true;
    }
    return received;
  }

  #events(i: number): number {
    const { pollfd } = this.#ffi.abi;
    return this.#pollMemory.readInt16LE(i * pollfd.size + pollfd.revents);
  }

  /** One batch of one socket. Returns how many datagrams there were. */
  #serve(socket: Served, flags: number): number {
    const received = this.#ffi.recvmmsg(socket.fd, socket.lane.recvAddress, limits.udpBatch, flags, 0);
    if (received <= 0) {
      const errno = this.#ffi.errno();
      // ICMP errors and shortages pass; anything else would fail for ever.
      if (received < 0 && !PASSING.has(errno)) throw new Error(`recvmmsg failed: errno ${errno}`);
      if (errno === abi.ENOMEM || errno === abi.ENOBUFS) this.#ffi.poll(this.#pollAddress, 0, limits.udpSendWaitMs);
      return 0;
    }
    if (this.#arena.words[socket.lane.recvNameLengthWord] === 0 && this.#nobody(socket.lane, received)) return 0;
    this.#responder.beginBatch();
    const { isTimed } = this.#responder;
    const takenMs = isTimed ? performance.now() : 0;
    const step = this.#loaded ? limits.udpBatch : limits.udpSend;
    for (let from = 0; from < received; from += step) {
      const answers = this.#answer(socket.lane, from, Math.min(received, from + step));
      if (answers === 0) continue;
      this.#send(socket, answers);
      if (isTimed) this.#responder.took((performance.now() - takenMs) / 1000, answers);
    }
    this.#responder.endBatch();
    this.#counters[UDP_BATCHES]! += 1;
    return received;
  }

  /**
   * The first datagram came from nobody: it is none, the socket was shut down while this thread waited (OpenSockets.release). Makes its place
   * ready for a real one. Returns whether nothing else was received.
   */
  #nobody(lane: Lane, received: number): boolean {
    const { bytes, words } = this.#arena;
    words[lane.recvNameLengthWord] = lane.nameBytes;
    // The one who stood there before doesn't get an answer to it.
    bytes[lane.portByte] = 0;
    bytes[lane.portByte + 1] = 0;
    return received === 1;
  }

  /** Answers packets `from` to `end` in place and puts the answers behind the first send headers. Returns how many. */
  #answer(lane: Lane, from: number, end: number): number {
    const arena = this.#arena;
    const responder = this.#responder;
    const peer = responder.peer;
    const { bytes, words, headerWords, vectorWords, nameStride, packetStride } = arena;
    const { packetOf, answerLengthWord } = lane;
    const six = lane.family === 6;
    let port = lane.portByte + from * nameStride;
    let address = lane.addressByte + from * nameStride;
    let packet = arena.packetByte + from * packetStride;
    let answers = 0;
    let unanswerable = 0;
    peer.family = lane.family;
    for (let i = from; i < end; i++) {
      const k = i % limits.udpAhead;
      if (k === 0) this.#lookAhead(lane, i, Math.min(end - i, limits.udpAhead));
      peer.port = (bytes[port]! << 8) | bytes[port + 1]!;
      peer.w0 = word(bytes, address);
      if (six) {
        peer.w1 = word(bytes, address + 4);
        peer.w2 = word(bytes, address + 8);
        peer.w3 = word(bytes, address + 12);
      }
      if (peer.port === 0) {
        unanswerable++;
      } else {
        const length = responder.answer(k, bytes, packet, limits.udpResponseBytes, TRANSPORT_UDP);
        if (length > 0) {
          if (packetOf[answers] !== i) arena.aim(lane, answers, i);
          words[answerLengthWord + answers * vectorWords] = length;
          if (lane.pktinfo) this.#answerFrom(lane, answers, i);
          answers++;
        }
      }
      if (lane.pktinfo) words[lane.recvControlLengthWord + i * headerWords] = lane.controlSpace;
      port += nameStride;
      address += nameStride;
      packet += packetStride;
    }
    const counters = this.#counters;
    counters[UDP_RECEIVED]! += end - from;
    counters[UDP_PORT_ZERO]! += unanswerable;
    counters[UDP_SILENT]! += end - from - answers - unanswerable;
    return answers;
  }

  /** Reads packets `from` and on, `count` of them, before the first is answered. */
  #lookAhead(lane: Lane, from: number, count: number): void {
    const arena = this.#arena;
    const responder = this.#responder;
    const { bytes, words } = arena;
    const { peer } = responder;
    for (let k = 0; k < count; k++) {
      const i = from + k;
      peer.w0 = word(bytes, lane.addressByte + i * arena.nameStride);
      responder.readNext(
        k,
        bytes,
        arena.packetByte + i * arena.packetStride,
        words[lane.receivedWord + i * arena.headerWords]!,
      );
    }
    responder.lookAhead();
  }

  /** Sends answer `k` from the address that packet `i` was sent to: the control message that came with it goes back. */
  #answerFrom(lane: Lane, k: number, i: number): void {
    const { bytes, words, headerWords, controlStride } = this.#arena;
    words[lane.sendControlLengthWord + k * headerWords] = words[lane.recvControlLengthWord + i * headerWords]!;
    // The route decides the interface, as for any packet, unless the address means nothing without one (fe80::/10).
    const local = lane.localAddressByte + i * controlStride;
    const linkLocal = lane.family === 6 && bytes[local] === 0xfe && (bytes[local + 1]! & 0xc0) === 0x80;
    if (!linkLocal) words[lane.interfaceWord + ((i * controlStride) >> 2)] = 0;
  }

  #send(socket: Served, count: number): void {
    const ffi = this.#ffi;
    let done = 0;
    let failed = 0;
    let tries = 0;
    while (done < count) {
      const address = socket.lane.sendAddress + done * this.#arena.headerBytes;
      const sent = ffi.sendmmsg(socket.fd, address, count - done, abi.MSG_DONTWAIT);
      if (sent > 0) {
        done += sent;
        continue;
      }
      const errno = ffi.errno();
      if (errno === abi.EINTR) continue;
      if (errno === abi.EAGAIN || errno === abi.ENOBUFS || errno === abi.ENOMEM) {
        if (tries++ < limits.udpSendTries) {
          ffi.poll(this.#pollAddress, 0, limits.udpSendWaitMs);
          continue;
        }
        failed += count - done;
        break;
      }
      // Only the first of what is left can have failed: no route, a firewall's veto, an address that has gone.
      failed++;
      done++;
    }
    this.#counters[UDP_SENT]! += count - failed;
    this.#counters[UDP_SEND_FAILED]! += failed;
  }
}

const PASSING: ReadonlySet<number> = new Set([abi.EAGAIN, abi.EINTR, abi.ENOMEM, abi.ENOBUFS, abi.ECONNREFUSED]);

/** Four bytes in network order as an int32. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
