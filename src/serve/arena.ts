// The memory of a thread's datagrams: message headers for the kernel and the packets, each answered in its own place.
//
//     a lane (for each kind of socket)                                  shared by all lanes
//       recv header i -> name i, control i, recv vector i                 recv vector i -> packet i, room for a request
//       send header k -> name i, control i, send vector k
//       send vector k -> packet i, length of its answer
//
// Answer k is that of packet i; as long as every packet is answered k = i, and nothing but lengths is written between two
// batches: send headers of their own leave the recv headers as the next recvmmsg needs them. (`msg_namelen` stays right
// by itself because all sockets of a lane have one family.)
import { limits } from '../base/limits.ts';
import type { Abi } from './abi.ts';
import type { Ffi } from './ffi.ts';

/** Bytes of a cache line: headers and packets begin on one. */
const LINE = 64;
/** One byte more than the longest request: who fills it sent a longer one. */
const REQUEST_ROOM = limits.udpRequestBytes + 1;
/**
 * Bytes from one packet to the next. Not a multiple of 4096: the first lines of all packets, the ones that are touched, would
 * fall into the same set of the processor's cache.
 */
const PACKET_STRIDE = roundUp(Math.max(REQUEST_ROOM, limits.udpResponseBytes), LINE) + 3 * LINE;

/** The headers for sockets of one family, with or without packet info. Addresses are for libc, words index `Arena.words`. */
export interface Lane {
  readonly family: 4 | 6;
  readonly pktinfo: boolean;
  readonly recvAddress: number;
  readonly sendAddress: number;
  /** `msg_len` and `msg_controllen` of recv header 0; `msg_controllen` of send header 0; `iov_len` of send vector 0. */
  readonly receivedWord: number;
  /** `msg_namelen` of recv header 0, and what it should be. */
  readonly recvNameLengthWord: number;
  readonly nameBytes: number;
  readonly recvControlLengthWord: number;
  readonly sendControlLengthWord: number;
  readonly answerLengthWord: number;
  /** First bytes of the port and the address in name 0. */
  readonly portByte: number;
  readonly addressByte: number;
  /** In control 0: the word of the interface, the first byte of the local address; and the bytes of one. */
  readonly interfaceWord: number;
  readonly localAddressByte: number;
  readonly controlSpace: number;
  /** The packet that send header k stands for. */
  readonly packetOf: Int32Array;
  /** First word of send header 0 and of send vector 0. */
  readonly sendWord: number;
  readonly vectorWord: number;
}

export class Arena {
  /** All of it; requests stand at `packetByte + i * packetStride` and are answered there. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly packetByte: number;
  readonly packetStride = PACKET_STRIDE;
  readonly headerWords: number;
  readonly vectorWords: number;
  readonly nameStride: number;
  readonly controlStride: number;
  readonly headerBytes: number;

  readonly #abi: Abi;
  readonly #base: number;
  readonly #batch: number;
  readonly #nameByte: number;
  readonly #controlByte: number;
  readonly #recvVectorByte: number;
  #free: number;
  readonly #lanes = new Map<string, Lane>();

  /** Room for `batch` packets at a time and for every kind of lane. */
  constructor(ffi: Ffi, batch: number) {
    const { abi } = ffi;
    this.#abi = abi;
    this.#batch = batch;
    this.headerBytes = abi.message.size;
    this.headerWords = abi.message.size >> 2;
    this.vectorWords = abi.iovec.size >> 2;
    this.nameStride = roundUp(abi.inet6.size, 32);
    this.controlStride = roundUp(Math.max(abi.pktinfo.space, abi.pktinfo6.space), LINE);

    this.packetByte = 0;
    this.#nameByte = PACKET_STRIDE * batch;
    this.#controlByte = this.#nameByte + roundUp(this.nameStride * batch, LINE);
    this.#recvVectorByte = this.#controlByte + this.controlStride * batch;
    this.#free = this.#recvVectorByte + roundUp(abi.iovec.size * batch, LINE);
    const laneBytes = 2 * roundUp(abi.message.size * batch, LINE) + roundUp(abi.iovec.size * batch, LINE);
    const size = this.#free + 4 * laneBytes;

    const memory = Buffer.allocUnsafeSlow(size + LINE).fill(0);
    const address = ffi.addressOf(memory);
    const skip = roundUp(address, LINE) - address;
    this.#base = address + skip;
    // Plain arrays, not Buffers: the answer path sees one kind of object wherever its bytes come from.
    this.bytes = new Uint8Array(memory.buffer, memory.byteOffset + skip, size);
    this.words = new Int32Array(memory.buffer, memory.byteOffset + skip, size >> 2);

    for (let i = 0; i < batch; i++) {
      const vector = this.#recvVectorByte + i * abi.iovec.size;
      this.#setPointer((vector + abi.iovec.base) >> 2, this.packetByte + i * PACKET_STRIDE);
      this.words[(vector + abi.iovec.length) >> 2] = REQUEST_ROOM;
    }
  }

  /** The address of a byte, for libc. */
  address(byte: number): number {
    return this.#base + byte;
  }

  /** The lane of a kind of socket, made when first asked for. */
  lane(family: 4 | 6, pktinfo: boolean): Lane {
    const key = `${family}${pktinfo}`;
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane = this.#makeLane(family, pktinfo);
    this.#lanes.set(key, lane);
    return lane;
  }

  /** Lets send header `k` stand for packet `i`: its sender, its control message, its bytes. */
  aim(lane: Lane, k: number, i: number): void {
    const { message, iovec } = this.#abi;
    const header = lane.sendWord + k * this.headerWords;
    this.#setPointer(header + (message.name >> 2), this.#nameByte + i * this.nameStride);
    if (lane.pktinfo) this.#setPointer(header + (message.control >> 2), this.#controlByte + i * this.controlStride);
    this.#setPointer(lane.vectorWord + k * this.vectorWords + (iovec.base >> 2), this.packetByte + i * PACKET_STRIDE);
    lane.packetOf[k] = i;
  }

  #makeLane(family: 4 | 6, pktinfo: boolean): Lane {
    const { message, iovec } = this.#abi;
    const recv = this.#take(message.size);
    const send = this.#take(message.size);
    const vectors = this.#take(iovec.size);
    const inet = family === 4 ? this.#abi.inet : this.#abi.inet6;
    const info = family === 4 ? this.#abi.pktinfo : this.#abi.pktinfo6;
    const lane: Lane = {
      family,
      pktinfo,
      recvAddress: this.address(recv),
      sendAddress: this.address(send),
      receivedWord: (recv + message.bytes) >> 2,
      recvNameLengthWord: (recv + message.nameLength) >> 2,
      nameBytes: inet.size,
      recvControlLengthWord: (recv + message.controlLength) >> 2,
      sendControlLengthWord: (send + message.controlLength) >> 2,
      answerLengthWord: (vectors + iovec.length) >> 2,
      portByte: this.#nameByte + inet.port,
      addressByte: this.#nameByte + inet.address,
      interfaceWord: (this.#controlByte + info.interface) >> 2,
      localAddressByte: this.#controlByte + info.localAddress,
      controlSpace: info.space,
      packetOf: new Int32Array(this.#batch),
      sendWord: send >> 2,
      vectorWord: vectors >> 2,
    };
    for (let i = 0; i < this.#batch; i++) {
      const recvWord = (recv + i * message.size) >> 2;
      const sendWord = (send + i * message.size) >> 2;
      for (const word of [recvWord, sendWord]) {
        this.words[word + (message.nameLength >> 2)] = inet.size;
        this.words[word + (message.vectorCount >> 2)] = 1;
        if (pktinfo) this.words[word + (message.controlLength >> 2)] = info.space;
      }
      this.#setPointer(recvWord + (message.name >> 2), this.#nameByte + i * this.nameStride);
      if (pktinfo) this.#setPointer(recvWord + (message.control >> 2), this.#controlByte + i * this.controlStride);
      this.#setPointer(recvWord + (message.vectors >> 2), this.#recvVectorByte + i * iovec.size);
      this.#setPointer(sendWord + (message.vectors >> 2), vectors + i * iovec.size);
      this.aim(lane, i, i);
    }
    return lane;
  }

  /** Bytes for a batch of structs of this size. */
  #take(size: number): number {
    const at = this.#free;
    this.#free += roundUp(size * this.#batch, LINE);
    return at;
  }

  /** Writes the address of a byte as two words, the low one first: no bigint is made. */
  #setPointer(word: number, byte: number): void {
    const address = this.#base + byte;
    this.words[word] = address | 0;
    this.words[word + 1] = (address / 2 ** 32) | 0;
  }
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
