// Unix sockets as Node doesn't offer them: with descriptors that travel along (SCM_RIGHTS), a mode of their own, and the peer's user.

import { closeSync, constants, fchmodSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { limits } from '../base/limits.ts';
import * as abi from './abi.ts';
import type { Ffi } from './ffi.ts';

/** sockaddr_un (unix(7)): the family, then a path of at most 107 octets and a NUL. */
const ADDRESS_BYTES = 110;
const PATH_AT = 2;
const LONGEST_PATH = 107;

/** What is read in one go; `end`: the other side has closed. */
export interface Received {
  readonly bytes: Buffer;
  readonly fds: readonly number[];
  readonly end: boolean;
}

/** One system call's memory, off the JavaScript heap. */
class MessageMemory {
  readonly #memory: Buffer;
  readonly header: number;
  readonly #ffi: Ffi;
  readonly control: { readonly at: number; readonly bytes: number };
  readonly data: number;

  constructor(ffi: Ffi, bytes: number) {
    this.#ffi = ffi;
    const { message, cmsg } = ffi.abi;
    const controlBytes = cmsg.data + Math.ceil((limits.handoverDescriptors * 4) / cmsg.align) * cmsg.align;
    this.control = { at: 256, bytes: controlBytes };
    this.data = 256 + controlBytes;
    this.#memory = Buffer.allocUnsafeSlow(this.data + bytes).fill(0, 0, this.data);
    this.header = ffi.addressOf(this.#memory);
    const vectors = 128;
    this.#put(vectors + ffi.abi.iovec.base, this.header + this.data);
    this.#put(vectors + ffi.abi.iovec.length, bytes);
    this.#put(message.vectors, this.header + vectors);
    this.#put(message.vectorCount, 1);
  }

  get memory(): Buffer {
    return this.#memory;
  }

  #put(at: number, value: number): void {
    this.#memory.writeBigUInt64LE(BigInt(value), at);
  }

  useControl(bytes: number): void {
    this.#put(this.#ffi.abi.message.control, bytes === 0 ? 0 : this.header + this.control.at);
    this.#put(this.#ffi.abi.message.controlLength, bytes);
  }

  /** Says who is meant, for a socket that isn't connected. */
  sendTo(address: number, bytes: number): void {
    this.#put(this.#ffi.abi.message.name, address);
    this.#memory.writeUInt32LE(bytes, this.#ffi.abi.message.nameLength);
  }
}

/** The parts of `fds` that fit into one message each. */
export function descriptorBatches(fds: readonly number[]): (readonly number[])[] {
  const batches: (readonly number[])[] = [];
  for (let i = 0; i < fds.length; i += limits.handoverDescriptors)
    batches.push(fds.slice(i, i + limits.handoverDescriptors));
  return batches;
}

/** Sends bytes with descriptors (one of `descriptorBatches`). Returns how many bytes were taken, or -1 (`errno`). */
export function sendDescriptors(ffi: Ffi, fd: number, bytes: Uint8Array, fds: readonly number[]): number {
  const { cmsg } = ffi.abi;
  const message = new MessageMemory(ffi, bytes.length);
  const { memory, control } = message;
  memory.set(bytes, message.data);
  const length = cmsg.data + fds.length * 4;
  memory.writeBigUInt64LE(BigInt(length), control.at);
  memory.writeInt32LE(abi.SOL_SOCKET, control.at + cmsg.level);
  memory.writeInt32LE(abi.SCM_RIGHTS, control.at + cmsg.type);
  fds.forEach((one, i) => {
    memory.writeInt32LE(one, control.at + cmsg.data + i * 4);
  });
  message.useControl(fds.length === 0 ? 0 : cmsg.data + Math.ceil((fds.length * 4) / cmsg.align) * cmsg.align);
  const sent = ffi.sendmsg(fd, message.header, abi.MSG_NOSIGNAL | abi.MSG_DONTWAIT);
  // The memory must outlive its address.
  return memory.length > 0 ? sent : -1;
}

/** Reads what is there, with the descriptors that came along, closed on exec; null: nothing yet. */
export function receiveDescriptors(ffi: Ffi, fd: number): Received | null {
  const { cmsg, message: layout } = ffi.abi;
  const message = new MessageMemory(ffi, limits.handoverReadBytes);
  const { memory, control, data } = message;
  message.useControl(control.bytes);
  const read = ffi.recvmsg(fd, message.header, abi.MSG_DONTWAIT | abi.MSG_CMSG_CLOEXEC);
  if (read < 0) {
    const errno = ffi.errno();
    return errno === abi.EAGAIN || errno === abi.EINTR ? null : { bytes: Buffer.alloc(0), fds: [], end: true };
  }
  const fds: number[] = [];
  const used = Number(memory.readBigUInt64LE(layout.controlLength));
  const isRights =
    used >= cmsg.data &&
    memory.readInt32LE(control.at + cmsg.level) === abi.SOL_SOCKET &&
    memory.readInt32LE(control.at + cmsg.type) === abi.SCM_RIGHTS;
  if (isRights) {
    const length = Number(memory.readBigUInt64LE(control.at));
    for (let at = cmsg.data; at + 4 <= length; at += 4) fds.push(memory.readInt32LE(control.at + at));
  }
  return { bytes: Buffer.from(memory.subarray(data, data + read)), fds, end: read === 0 };
}

/** The user at the other end of a connected socket; null: unknown. */
export function peerUser(ffi: Ffi, fd: number): number | null {
  // `struct ucred`: pid, uid, gid; behind them the length.
  const memory = Buffer.allocUnsafeSlow(128).fill(0);
  memory.writeUInt32LE(12, 64);
  const at = ffi.addressOf(memory);
  return ffi.getsockopt(fd, abi.SOL_SOCKET, abi.SO_PEERCRED, at, at + 64) === 0 ? memory.readUInt32LE(4) : null;
}

/** Listens at a path for this user alone, in place of whoever listened there before. Throws an Error that says why it can't be. */
export function listenUnix(ffi: Ffi, file: string, backlog: number): number {
  const fd = openStream(ffi);
  const fresh = `${file}.${process.pid}`;
  try {
    // The file gets the mode that the socket has.
    fchmodSync(fd, 0o600);
    rmSync(fresh, { force: true });
    withAddress(ffi, fresh, (address, bytes) => check(ffi, ffi.bind(fd, address, bytes), 'bind'));
    check(ffi, ffi.listen(fd, backlog), 'listen');
    renameSync(fresh, file);
    return fd;
  } catch (error) {
    ffi.close(fd);
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** A connection to who listens at a path; null: nobody. */
export function connectUnix(ffi: Ffi, file: string): number | null {
  const fd = openStream(ffi);
  try {
    withAddress(ffi, file, (address, bytes) => check(ffi, ffi.connect(fd, address, bytes), 'connect'));
    return fd;
  } catch {
    ffi.close(fd);
    return null;
  }
}

/** Sends a datagram to a unix socket; `@name` is one without a file. Returns whether it was taken. */
export function sendUnixDatagram(ffi: Ffi, to: string, text: string): boolean {
  const fd = ffi.socket(abi.AF_UNIX, abi.SOCK_DGRAM | abi.SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bytes = Buffer.from(text);
  const message = new MessageMemory(ffi, bytes.length);
  message.memory.set(bytes, message.data);
  message.useControl(0);
  try {
    return withAddress(ffi, to, (address, length) => {
      message.sendTo(address, length);
      return ffi.sendmsg(fd, message.header, abi.MSG_NOSIGNAL | abi.MSG_DONTWAIT) === bytes.length;
    });
  } finally {
    ffi.close(fd);
  }
}

function openStream(ffi: Ffi): number {
  const fd = ffi.socket(abi.AF_UNIX, abi.SOCK_STREAM | abi.SOCK_NONBLOCK | abi.SOCK_CLOEXEC, 0);
  check(ffi, fd, 'socket');
  return fd;
}

function check(ffi: Ffi, result: number, call: string): void {
  if (result < 0) throw new Error(`${call}: errno ${ffi.errno()}`);
}

/** Calls back with a sockaddr_un. A path that doesn't fit into one goes by a descriptor of its folder. */
function withAddress<T>(ffi: Ffi, file: string, use: (address: number, bytes: number) => T): T {
  const isAbstract = file.startsWith('@');
  const folder = Buffer.byteLength(file) > LONGEST_PATH && !isAbstract ? openFolder(dirname(file)) : null;
  try {
    const path = Buffer.from(folder === null ? file : `/proc/self/fd/${folder}/${basename(file)}`);
    if (path.length > LONGEST_PATH) throw new Error(`the path ${file} is too long for a socket`);
    if (isAbstract) path[0] = 0;
    const memory = Buffer.allocUnsafeSlow(Math.max(ADDRESS_BYTES, 128)).fill(0);
    memory.writeUInt16LE(abi.AF_UNIX, 0);
    memory.set(path, PATH_AT);
    return use(ffi.addressOf(memory), PATH_AT + path.length + (isAbstract ? 0 : 1));
  } finally {
    if (folder !== null) closeSync(folder);
  }
}

function openFolder(folder: string): number {
  return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
}
