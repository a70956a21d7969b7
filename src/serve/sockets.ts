// Opens the sockets of every listen address, in the main thread: UDP for each data thread, one TCP listener to share.
//
// Why here: in a SO_REUSEPORT group a socket whose thread has died goes on receiving its share. Sockets that belong to the
// process are handed to the thread that takes the dead one's place, with all that has arrived meanwhile.
import type { Address } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import * as abi from './abi.ts';
import type { Ffi } from './ffi.ts';
import { type GivenSocket, standsAt } from './given.ts';
import { type ListenAddress, type ListenFailure, listenMessage } from './listen.ts';

/** One UDP socket as a data thread needs to know it; survives structured clone. */
export interface UdpSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  /** Bound to 0.0.0.0 or ::, so that each packet says which address was asked. */
  readonly wildcard: boolean;
}

export interface OpenSockets {
  /** The addresses that were opened, with their real ports. */
  readonly listening: readonly ListenAddress[];
  /** For each data thread its socket of each listening address. */
  readonly udp: readonly (readonly UdpSocket[])[];
  /** The TCP listener of each listening address; hand out `duplicate`s, for who serves one closes it. */
  readonly tcp: readonly number[];
  /** Addresses that could not be opened, all of them. The caller decides whether it goes on without. */
  readonly failures: readonly ListenFailure[];
  /** Ends the waiting of thread `thread` for good, where it waits in recvmmsg and no bell is heard. What has arrived can still be read. */
  release(thread: number): void;
  /** Another descriptor of the same socket, closed on exec. Throws when the process is out of them. */
  duplicate(fd: number): number;
  /** Closes everything. Only when no thread uses the descriptors any more: numbers are reused. */
  close(): void;
}

/**
 * Opens UDP and TCP on all addresses, `threads` UDP sockets for each. What fails stands in `failures`; nothing throws.
 * @param given sockets that are open already and are used where they stand at one of the addresses; the others are left alone
 */
export function openSockets(
  ffi: Ffi,
  addresses: readonly ListenAddress[],
  threads: number,
  given: readonly GivenSocket[] = [],
): OpenSockets {
  const opener = new SocketOpener(ffi, given);
  const udp: UdpSocket[][] = Array.from({ length: threads }, () => []);
  const tcp: number[] = [];
  const listening: ListenAddress[] = [];
  const failures: ListenFailure[] = [];
  for (const listen of addresses) {
    const opened = opener.open(listen, threads);
    if ('code' in opened) {
      failures.push(opened);
      continue;
    }
    listening.push({ address: listen.address, port: opened.port });
    tcp.push(opened.tcp);
    const wildcard = listen.address.bytes.every((byte) => byte === 0);
    // More sockets than threads (there were more): none is left without a reader. Fewer: threads share.
    for (let i = 0; i < Math.max(threads, opened.udp.length); i++) {
      const fd = opened.udp[i % opened.udp.length]!;
      udp[i % threads]!.push({ fd, family: listen.address.family, wildcard });
    }
  }
  return {
    listening,
    udp,
    tcp,
    failures,
    duplicate: (fd) => {
      const copy = ffi.fcntl(fd, abi.F_DUPFD_CLOEXEC, 0);
      if (copy < 0) throw new Error(`fcntl(F_DUPFD_CLOEXEC) failed: errno ${ffi.errno()}`);
      return copy;
    },
    // Says ENOTCONN for a UDP socket, and wakes its readers all the same.
    release: (thread) => {
      for (const { fd } of udp[thread] ?? []) ffi.shutdown(fd, abi.SHUT_RD);
    },
    close: () => {
      for (const fd of new Set([...udp.flat().map((socket) => socket.fd), ...tcp])) ffi.close(fd);
    },
  };
}

interface Opened {
  readonly port: number;
  readonly tcp: number;
  readonly udp: readonly number[];
}

/** Which call failed on the way to an open socket, and why. */
class SocketError extends Error {
  readonly errno: number;
  readonly protocol: 'UDP' | 'TCP';
  constructor(errno: number, protocol: 'UDP' | 'TCP') {
    super(`errno ${errno}`);
    this.errno = errno;
    this.protocol = protocol;
  }
}

class SocketOpener {
  readonly #ffi: Ffi;
  /** Off the JavaScript heap: a socket address at 0, an int or a length at 64. */
  readonly #memory = Buffer.allocUnsafeSlow(128).fill(0);
  readonly #at: number;
  readonly #integerAt: number;

  readonly #given: readonly GivenSocket[];

  constructor(ffi: Ffi, given: readonly GivenSocket[]) {
    this.#ffi = ffi;
    this.#given = given;
    this.#at = ffi.addressOf(this.#memory);
    this.#integerAt = this.#at + 64;
  }

  open(listen: ListenAddress, threads: number): Opened | ListenFailure {
    for (let tries = 1; ; tries++) {
      const fds: number[] = [];
      try {
        return this.#openAll(listen, threads, fds);
      } catch (error) {
        for (const fd of fds) this.#ffi.close(fd);
        if (!(error instanceof SocketError)) throw error;
        // The kernel picks TCP's port; that one may be taken for UDP.
        const unlucky = listen.port === 0 && error.errno === abi.EADDRINUSE && error.protocol === 'UDP';
        if (!unlucky || tries >= limits.portTries) return describeFailure(listen, error);
      }
    }
  }

  /** Throws SocketError; what was opened until then stands in `fds`. */
  #openAll(listen: ListenAddress, threads: number, fds: number[]): Opened {
    const there = this.#given.filter((socket) => standsAt(socket, listen));
    const port = there[0]?.port ?? listen.port;
    const tcp = this.#openTcp({ ...listen, port }, there, fds);
    const at = { ...listen, port: port === 0 ? this.#portOf(tcp) : port };
    const inherited = there.filter(({ protocol, port: its }) => protocol === 'UDP' && its === at.port);
    const udp = inherited.map(({ fd }) => fd);
    for (const fd of udp) {
      this.#ffi.fcntl(fd, abi.F_SETFL, this.#ffi.fcntl(fd, abi.F_GETFL, 0) & ~abi.O_NONBLOCK);
      this.#tuneUdp(fd, at.address);
    }
    if (udp.length === 0) {
      // Once without REUSEPORT: with it the kernel lets two servers of one user share a port, and each would see some of the queries.
      const probe = this.#socket(at.address.family, abi.SOCK_DGRAM, fds);
      this.#bind(probe, at.address, at.port, 'UDP');
      this.#ffi.close(fds.pop()!);
    }
    while (udp.length < threads) {
      const fd = this.#joinGroup(at, fds, udp.length > 0);
      // What a service manager opened alone has no group to join.
      if (fd === null) break;
      udp.push(fd);
    }
    return { port: at.port, tcp, udp };
  }

  /** TCP without REUSEPORT, for the same reason. */
  #openTcp(listen: ListenAddress, there: readonly GivenSocket[], fds: number[]): number {
    const given = there.find(({ protocol, port }) => protocol === 'TCP' && port === listen.port);
    if (given !== undefined) {
      this.#ffi.fcntl(given.fd, abi.F_SETFL, this.#ffi.fcntl(given.fd, abi.F_GETFL, 0) | abi.O_NONBLOCK);
      this.#try(given.fd, abi.SOL_SOCKET, abi.SO_SNDBUF, limits.tcpSendBufferBytes);
      return given.fd;
    }
    const tcp = this.#socket(listen.address.family, abi.SOCK_STREAM, fds);
    this.#set(tcp, abi.SOL_SOCKET, abi.SO_REUSEADDR, 1, 'TCP');
    // Connections inherit it.
    this.#try(tcp, abi.SOL_SOCKET, abi.SO_SNDBUF, limits.tcpSendBufferBytes);
    this.#bind(tcp, listen.address, listen.port, 'TCP');
    if (this.#ffi.listen(tcp, limits.tcpBacklog) < 0) throw new SocketError(this.#ffi.errno(), 'TCP');
    return tcp;
  }

  /** One more UDP socket at a port. Where others stand there already that may not be possible: null. */
  #joinGroup({ address, port }: ListenAddress, fds: number[], others: boolean): number | null {
    const fd = this.#socket(address.family, abi.SOCK_DGRAM, fds);
    try {
      this.#set(fd, abi.SOL_SOCKET, abi.SO_REUSEPORT, 1, 'UDP');
      this.#tuneUdp(fd, address);
      this.#bind(fd, address, port, 'UDP');
      return fd;
    } catch (error) {
      if (!others) throw error;
      this.#ffi.close(fds.pop()!);
      return null;
    }
  }

  #socket(family: 4 | 6, type: number, fds: number[]): number {
    const domain = family === 4 ? abi.AF_INET : abi.AF_INET6;
    const protocol = type === abi.SOCK_DGRAM ? 'UDP' : 'TCP';
    // A data thread may block in recvmmsg; TCP is libuv's.
    const nonblocking = type === abi.SOCK_STREAM ? abi.SOCK_NONBLOCK : 0;
    const fd = this.#ffi.socket(domain, type | nonblocking | abi.SOCK_CLOEXEC, 0);
    if (fd < 0) throw new SocketError(this.#ffi.errno(), protocol);
    fds.push(fd);
    // So that 0.0.0.0 and [::] can stand side by side, and an IPv4 client never looks like ::ffff:192.0.2.1.
    if (family === 6) this.#set(fd, abi.IPPROTO_IPV6, abi.IPV6_V6ONLY, 1, protocol);
    return fd;
  }

  #tuneUdp(fd: number, address: Address): void {
    // `struct timeval`: two words of 64 bits, seconds and microseconds.
    this.#memory.fill(0, 64, 80);
    this.#memory.writeInt32LE(limits.idleWaitMs * 1000, 72);
    if (this.#ffi.setsockopt(fd, abi.SOL_SOCKET, abi.SO_RCVTIMEO, this.#integerAt, 16) < 0) {
      throw new SocketError(this.#ffi.errno(), 'UDP');
    }
    // RCVBUFFORCE may pass net.core.rmem_max, but needs CAP_NET_ADMIN; the other takes what it gets.
    if (!this.#try(fd, abi.SOL_SOCKET, abi.SO_RCVBUFFORCE, limits.udpReceiveBufferBytes)) {
      this.#try(fd, abi.SOL_SOCKET, abi.SO_RCVBUF, limits.udpReceiveBufferBytes);
    }
    // No path MTU discovery for answers: who forges "fragmentation needed" could otherwise make them small and fragmented.
    // What can't be set (gVisor, old kernels) is done without.
    const wildcard = address.bytes.every((byte) => byte === 0);
    if (address.family === 4) {
      this.#try(fd, abi.IPPROTO_IP, abi.IP_MTU_DISCOVER, abi.IP_PMTUDISC_OMIT);
      if (wildcard) this.#set(fd, abi.IPPROTO_IP, abi.IP_PKTINFO, 1, 'UDP');
    } else {
      this.#try(fd, abi.IPPROTO_IPV6, abi.IPV6_MTU_DISCOVER, abi.IPV6_PMTUDISC_OMIT);
      if (wildcard) this.#set(fd, abi.IPPROTO_IPV6, abi.IPV6_RECVPKTINFO, 1, 'UDP');
    }
  }

  #bind(fd: number, address: Address, port: number, protocol: 'UDP' | 'TCP'): void {
    const layout = address.family === 4 ? this.#ffi.abi.inet : this.#ffi.abi.inet6;
    this.#memory.fill(0, 0, layout.size);
    this.#memory.writeUInt16LE(address.family === 4 ? abi.AF_INET : abi.AF_INET6, layout.family);
    this.#memory.writeUInt16BE(port, layout.port);
    this.#memory.set(address.bytes, layout.address);
    if (this.#ffi.bind(fd, this.#at, layout.size) < 0) throw new SocketError(this.#ffi.errno(), protocol);
  }

  #portOf(fd: number): number {
    this.#memory.writeInt32LE(64, 64);
    if (this.#ffi.getsockname(fd, this.#at, this.#integerAt) < 0) throw new SocketError(this.#ffi.errno(), 'TCP');
    // Both families have the port in the same place.
    return this.#memory.readUInt16BE(this.#ffi.abi.inet.port);
  }

  #try(fd: number, level: number, option: number, value: number): boolean {
    this.#memory.writeInt32LE(value, 64);
    return this.#ffi.setsockopt(fd, level, option, this.#integerAt, 4) === 0;
  }

  #set(fd: number, level: number, option: number, value: number, protocol: 'UDP' | 'TCP'): void {
    if (!this.#try(fd, level, option, value)) throw new SocketError(this.#ffi.errno(), protocol);
  }
}

const CODES = new Map([
  [abi.EADDRINUSE, 'EADDRINUSE'],
  [abi.EACCES, 'EACCES'],
  [abi.EADDRNOTAVAIL, 'EADDRNOTAVAIL'],
  [abi.EAFNOSUPPORT, 'EAFNOSUPPORT'],
  [abi.EMFILE, 'EMFILE'],
]);

function describeFailure(listen: ListenAddress, error: SocketError): ListenFailure {
  const code = CODES.get(error.errno) ?? `errno ${error.errno}`;
  return { listen, code, message: listenMessage(listen, code, error.protocol) };
}
