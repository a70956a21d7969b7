// A bell that the main thread rings so that a data thread looks up from its sockets: a shared word and an eventfd.
import { EFD_CLOEXEC, EFD_NONBLOCK } from './abi.ts';
import type { Ffi } from './ffi.ts';

/** What the data thread gets; survives structured clone. */
export interface BellEnd {
  /** An eventfd, readable after a ring until it is read: for who waits in poll. */
  readonly fd: number;
  /** An int32 that counts the rings: for who would rather read a word than make a system call. */
  readonly rings: SharedArrayBuffer;
}

/** The ringing side. */
export interface Bell extends BellEnd {
  /** Wakes a thread that waits in poll within some 50 us; rings before it looks are one. */
  ring(): void;
  close(): void;
}

/** Makes a bell; throws where the process is out of file descriptors. */
export function openBell(ffi: Ffi): Bell {
  const fd = ffi.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw new Error(`eventfd failed: errno ${ffi.errno()}`);
  const rings = new SharedArrayBuffer(4);
  const count = new Int32Array(rings);
  // Room for the eventfd's 64-bit counter; larger than 64 bytes keeps it off the JavaScript heap.
  const memory = Buffer.allocUnsafeSlow(128);
  memory.writeBigUInt64LE(1n);
  const one = ffi.addressOf(memory);
  return {
    fd,
    rings,
    ring: () => {
      Atomics.add(count, 0, 1);
      // `memory` must outlive its address. EAGAIN would mean 2^64 - 2 rings that nobody heard.
      if (memory.length > 0) ffi.write(fd, one, 8);
    },
    close: () => {
      ffi.close(fd);
    },
  };
}
