// A bell that the main thread rings to wake a data thread out of poll: an eventfd.
import { EFD_CLOEXEC, EFD_NONBLOCK } from './abi.ts';
import type { Ffi } from './ffi.ts';

/** The ringing side. The data thread gets `fd`, a plain number, and polls it. */
export interface Bell {
  readonly fd: number;
  /** Wakes the thread within some 50 us; rings before it looks are one. */
  ring(): void;
  close(): void;
}

/** Makes a bell; throws where the process is out of file descriptors. */
export function openBell(ffi: Ffi): Bell {
  const fd = ffi.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw new Error(`eventfd failed: errno ${ffi.errno()}`);
  // Room for the eventfd's 64-bit counter; larger than 64 bytes keeps it off the JavaScript heap.
  const memory = Buffer.allocUnsafeSlow(128);
  memory.writeBigUInt64LE(1n);
  const one = ffi.addressOf(memory);
  return {
    fd,
    ring: () => {
      // `memory` must outlive its address. EAGAIN would mean 2^64 - 2 rings that nobody heard.
      if (memory.length > 0) ffi.write(fd, one, 8);
    },
    close: () => {
      ffi.close(fd);
    },
  };
}
