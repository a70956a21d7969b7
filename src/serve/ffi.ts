// The only system calls of the program that Node doesn't offer: sockets, batches of datagrams, poll and eventfd, through libc.
//
// Memory is handed over as an address in a plain number, declared as uintptr_t: a Buffer for `void *` costs 60 ns more a
// call, a bigint is an allocation (measured on koffi 3.3; the call itself costs 60 ns, `errno` 30).
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import type * as Koffi from 'koffi';
import { type Abi, layOut } from './abi.ts';

/** Libc's calls under their own names. Each returns -1 on failure; `errno` then says why (of this thread, until the next call). */
export interface Ffi {
  readonly abi: Abi;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: number, length: number): number;
  listen(fd: number, backlog: number): number;
  setsockopt(fd: number, level: number, option: number, value: number, length: number): number;
  getsockname(fd: number, address: number, length: number): number;
  recvmmsg(fd: number, messages: number, count: number, flags: number, timeout: number): number;
  sendmmsg(fd: number, messages: number, count: number, flags: number): number;
  poll(fds: number, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, bytes: number, length: number): number;
  write(fd: number, bytes: number, length: number): number;
  close(fd: number): number;
  shutdown(fd: number, how: number): number;
  /** `fcntl(fd, command, argument)` with an int argument. */
  fcntl(fd: number, command: number, argument: number): number;
  /** `flock(fd, operation)`: the lock goes when the process ends, or its last descriptor of that opening is closed. */
  flock(fd: number, operation: number): number;
  errno(): number;
  /** Sleeps; a microsecond or two longer than asked where `finerSleep` was called on this thread. */
  usleep(us: number): number;
  /** Lets this thread's sleeps end when they should: by default the kernel adds up to 50 us, to wake many at a time. */
  finerSleep(): void;
  /** Milliseconds of CPU that the calling thread has used. */
  threadCpuMs(): number;
  /** Says how the kernel shall schedule the calling thread. False where it doesn't allow or know that. */
  schedule(how: Schedule): boolean;
  /** Where the memory of a view is. It must be off the JavaScript heap (more than 64 bytes): only then it stands still. */
  addressOf(view: Uint8Array): number;
  /** Asks for pages of 2 MiB under a view: an image is read all over, and a page table entry is then one of few. */
  hugePages(view: Uint8Array): void;
  /** Gives the pages under a view back to the system; what was in them is gone, and zero when it is read again. */
  discard(view: Uint8Array): void;
  /** Lets all threads share one malloc arena: each arena keeps what it once had. Before threads start. Nothing on musl. */
  shareArena(): void;
  /** Ends the process now: no other thread is waited for, were it stuck in the kernel for ever. */
  exitNow(code: number): void;
  /** Gives the C heap's free pages back to the system: a builder thread leaves some 30 MB behind. Nothing on musl. */
  trimHeap(): void;
}

/** Policies of sched.h. */
export const SCHED_OTHER = 0;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;

export interface Schedule {
  readonly policy: number;
  /** From -20 (favoured) to 19; of SCHED_OTHER and SCHED_BATCH. */
  readonly nice: number;
  /** From 1 on, of SCHED_RR. */
  readonly priority?: number;
  /** The time slice in ns, of SCHED_OTHER; absent: the usual. */
  readonly sliceNs?: number;
}

/** `prctl` option, and the slack asked for in ns (linux/prctl.h). */
const PR_SET_TIMERSLACK = 29;
const SLACK_NS = 1_000;

/** Numbers of `sched_setattr`, for which libc has no function, and its struct (sched_setattr(2)). */
const SYS_SCHED_SETATTR: Readonly<Record<string, number>> = { x64: 314, arm64: 274 };
const SCHED_ATTR = { bytes: 48, policy: 4, flags: 8, nice: 16, priority: 20, runtime: 24 } as const;
const SCHED_FLAG_RESET_ON_FORK = 1n;

/** time.h. */
const CLOCK_THREAD_CPUTIME_ID = 3;

/** `madvise` and its unit (sys/mman.h). */
const MADV_DONTNEED = 4;
const MADV_HUGEPAGE = 14;
const PAGE_BYTES = 4096;

/** mallopt's parameter for the number of arenas (malloc.h). */
const M_ARENA_MAX = -8;

/** Loads libc. Returns null where that can't be: no Linux, no koffi for this platform, not 64 bits little-endian. */
export function loadFfi(): Ffi | null {
  if (process.platform !== 'linux' || endianness() !== 'LE') return null;
  let koffi: typeof Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const abi = layOut(koffi);
    return abi.pointer === 8 ? bindCalls(koffi, abi) : null;
  } catch {
    return null;
  }
}

function bindCalls(koffi: typeof Koffi, abi: Abi): Ffi {
  const libc = koffi.load(null);
  const fcntl = libc.func('int fcntl(int, int, ...)');
  const heap = glibcHeap(libc);
  const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
  const madvise = libc.func('int madvise(uintptr_t, size_t, int)');
  return {
    abi,
    socket: libc.func('int socket(int, int, int)'),
    bind: libc.func('int bind(int, uintptr_t, uint32)'),
    listen: libc.func('int listen(int, int)'),
    setsockopt: libc.func('int setsockopt(int, int, int, uintptr_t, uint32)'),
    getsockname: libc.func('int getsockname(int, uintptr_t, uintptr_t)'),
    recvmmsg: libc.func('int recvmmsg(int, uintptr_t, uint32, int, uintptr_t)'),
    sendmmsg: libc.func('int sendmmsg(int, uintptr_t, uint32, int)'),
    poll: libc.func('int poll(uintptr_t, unsigned long, int)'),
    eventfd: libc.func('int eventfd(uint32, int)'),
    read: libc.func('intptr_t read(int, uintptr_t, size_t)'),
    write: libc.func('intptr_t write(int, uintptr_t, size_t)'),
    close: libc.func('int close(int)'),
    shutdown: libc.func('int shutdown(int, int)'),
    fcntl: (fd, command, argument) => fcntl(fd, command, 'int', argument) as number,
    flock: libc.func('int flock(int, int)'),
    errno: () => koffi.errno(),
    hugePages: (view) => {
      const from = Math.ceil(Number(koffi.address(view)) / PAGE_BYTES) * PAGE_BYTES;
      // A kernel without them says no, and all works as before.
      madvise(from, Math.max(0, view.length - PAGE_BYTES), MADV_HUGEPAGE);
    },
    discard: (view) => {
      const from = Math.ceil(Number(koffi.address(view)) / PAGE_BYTES) * PAGE_BYTES;
      const to = Math.floor((Number(koffi.address(view)) + view.length) / PAGE_BYTES) * PAGE_BYTES;
      if (to > from) madvise(from, to - from, MADV_DONTNEED);
    },
    usleep: libc.func('int usleep(uint32)'),
    exitNow: libc.func('void _exit(int)'),
    threadCpuMs: threadClock(libc, koffi),
    schedule: scheduler(libc, koffi),
    finerSleep: () => void prctl(PR_SET_TIMERSLACK, SLACK_NS, 0, 0, 0),
    addressOf: (view) => Number(koffi.address(view)),
    ...heap,
  };
}

function threadClock(libc: Koffi.LibraryHandle, koffi: typeof Koffi): () => number {
  const gettime = libc.func('int clock_gettime(int, uintptr_t)');
  // A timespec: two words of 8 bytes. Larger than 64 bytes keeps it off the JavaScript heap.
  const words = new BigInt64Array(16);
  const at = Number(koffi.address(words));
  return () => {
    gettime(CLOCK_THREAD_CPUTIME_ID, at);
    return Number(words[0]!) * 1e3 + Number(words[1]!) / 1e6;
  };
}

function scheduler(libc: Koffi.LibraryHandle, koffi: typeof Koffi): Ffi['schedule'] {
  const number = SYS_SCHED_SETATTR[process.arch];
  if (number === undefined) return () => false;
  const syscall = libc.func('long syscall(long, ...)');
  return ({ policy, nice, priority = 0, sliceNs = 0 }) => {
    // Larger than 64 bytes keeps it off the JavaScript heap.
    const attributes = Buffer.allocUnsafeSlow(128).fill(0);
    attributes.writeUInt32LE(SCHED_ATTR.bytes, 0);
    attributes.writeUInt32LE(policy, SCHED_ATTR.policy);
    // What a real-time thread starts isn't real-time too. Once said, taking it back would need a permission.
    attributes.writeBigUInt64LE(SCHED_FLAG_RESET_ON_FORK, SCHED_ATTR.flags);
    attributes.writeInt32LE(nice, SCHED_ATTR.nice);
    attributes.writeUInt32LE(priority, SCHED_ATTR.priority);
    attributes.writeBigUInt64LE(BigInt(sliceNs), SCHED_ATTR.runtime);
    const at = Number(koffi.address(attributes));
    return syscall(number, 'int', 0, 'uintptr_t', at, 'uint', 0) === 0 && attributes.length > 0;
  };
}

function glibcHeap(libc: Koffi.LibraryHandle): Pick<Ffi, 'shareArena' | 'trimHeap'> {
  try {
    const mallopt = libc.func('int mallopt(int, int)');
    const trim = libc.func('int malloc_trim(size_t)');
    return { shareArena: () => void mallopt(M_ARENA_MAX, 1), trimHeap: () => void trim(0) };
  } catch {
    return { shareArena: () => {}, trimHeap: () => {} };
  }
}
