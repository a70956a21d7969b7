// Listening sockets that somebody else opened: the service manager (LISTEN_FDS), or the server that this one replaces.

import type { Address } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import * as abi from './abi.ts';
import type { Ffi } from './ffi.ts';
import type { ListenAddress } from './listen.ts';

export interface GivenSocket extends ListenAddress {
  readonly fd: number;
  readonly protocol: 'UDP' | 'TCP';
  /** What it is for, in the giver's word: `admin` is the admin's, all else is for DNS. */
  readonly name: string;
}

/** The first descriptor that a service manager passes (sd_listen_fds(3)). */
const FIRST_FD = 3;

/** What a descriptor is; null: no bound UDP socket or TCP listener of an IP family. */
export function describeSocket(ffi: Ffi, fd: number, name: string): GivenSocket | null {
  // A socket address at 0, an int at 128, a length at 160.
  const memory = Buffer.allocUnsafeSlow(256).fill(0);
  const at = ffi.addressOf(memory);
  memory.writeUInt32LE(128, 160);
  if (ffi.getsockname(fd, at, at + 160) < 0) return null;
  memory.writeUInt32LE(4, 160);
  if (ffi.getsockopt(fd, abi.SOL_SOCKET, abi.SO_TYPE, at + 128, at + 160) < 0) return null;
  const type = memory.readInt32LE(128);
  const family = memory.readUInt16LE(0);
  const protocol = type === abi.SOCK_DGRAM ? 'UDP' : type === abi.SOCK_STREAM ? 'TCP' : null;
  if (protocol === null || (family !== abi.AF_INET && family !== abi.AF_INET6)) return null;
  const four = family === abi.AF_INET;
  const layout = four ? ffi.abi.inet : ffi.abi.inet6;
  const bytes = Uint8Array.from(memory.subarray(layout.address, layout.address + (four ? 4 : 16)));
  const address: Address = { family: four ? 4 : 6, bytes };
  return { fd, protocol, name, address, port: memory.readUInt16BE(layout.port) };
}

/** The sockets that a service manager passes to this process, which are taken out of the environment: children don't get them. */
export function socketsOfManager(ffi: Ffi, env: NodeJS.ProcessEnv, pid: number): GivenSocket[] {
  const { LISTEN_PID: meant, LISTEN_FDS: count, LISTEN_FDNAMES: names } = env;
  delete env.LISTEN_PID;
  delete env.LISTEN_FDS;
  delete env.LISTEN_FDNAMES;
  if (count === undefined || meant !== String(pid)) return [];
  const list = names?.split(':') ?? [];
  const sockets: GivenSocket[] = [];
  for (let i = 0; i < Math.min(Number(count) || 0, limits.givenDescriptors); i++) {
    ffi.fcntl(FIRST_FD + i, abi.F_SETFD, abi.FD_CLOEXEC);
    const socket = describeSocket(ffi, FIRST_FD + i, list[i] ?? '');
    if (socket !== null) sockets.push(socket);
  }
  return sockets;
}

/** Whether a socket stands where somebody wants to listen; port 0 wants any. */
export function standsAt(socket: GivenSocket, { address, port }: ListenAddress): boolean {
  const same = socket.address.bytes.every((byte, i) => byte === address.bytes[i]);
  return socket.address.family === address.family && same && (port === 0 || port === socket.port);
}
