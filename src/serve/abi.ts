// The kernel's numbers and the layouts of its structs, the latter computed for the machine that runs this.

import type * as Koffi from 'koffi';

// Linux numbers; the same on x86-64 and arm64 (asm-generic).
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_SNDBUF = 7;
export const SO_RCVBUF = 8;
export const SO_REUSEPORT = 15;
export const SO_PEERCRED = 17;
export const SO_RCVTIMEO = 20;
export const SO_RCVBUFFORCE = 33;
export const IPPROTO_IP = 0;
export const IPPROTO_IPV6 = 41;
export const IP_PKTINFO = 8;
export const IP_MTU_DISCOVER = 10;
export const IP_PMTUDISC_OMIT = 5;
export const IPV6_MTU_DISCOVER = 23;
export const IPV6_PMTUDISC_OMIT = 5;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
export const SCM_RIGHTS = 1;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_WAITFORONE = 0x10000;
export const MSG_CMSG_CLOEXEC = 0x40000000;
export const SHUT_RD = 0;
export const POLLIN = 0x1;
export const POLLNVAL = 0x20;
export const EFD_NONBLOCK = 0o4000;
export const EFD_CLOEXEC = 0o2000000;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const FD_CLOEXEC = 1;
export const O_NONBLOCK = 0o4000;
export const F_DUPFD_CLOEXEC = 1030;

export const EINTR = 4;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EMFILE = 24;
export const EAFNOSUPPORT = 97;
export const EADDRINUSE = 98;
export const EADDRNOTAVAIL = 99;
export const ENOBUFS = 105;
export const ECONNREFUSED = 111;

/** Offsets and sizes, all in bytes. */
export interface Abi {
  readonly pointer: number;
  readonly iovec: { readonly size: number; readonly base: number; readonly length: number };
  /** `struct mmsghdr`, the members of its `msghdr` included. */
  readonly message: {
    readonly size: number;
    readonly name: number;
    readonly nameLength: number;
    readonly vectors: number;
    readonly vectorCount: number;
    readonly control: number;
    readonly controlLength: number;
    readonly flags: number;
    /** Bytes that were received or sent. */
    readonly bytes: number;
  };
  readonly pollfd: { readonly size: number; readonly fd: number; readonly events: number; readonly revents: number };
  readonly inet: { readonly size: number; readonly family: number; readonly port: number; readonly address: number };
  readonly inet6: { readonly size: number; readonly family: number; readonly port: number; readonly address: number };
  /** A control message: where its parts stand. */
  readonly cmsg: { readonly level: number; readonly type: number; readonly data: number; readonly align: number };
  /** A control message with an `in_pktinfo`: where its interface and its local address stand, and CMSG_SPACE of it. */
  readonly pktinfo: { readonly space: number; readonly interface: number; readonly localAddress: number };
  readonly pktinfo6: { readonly space: number; readonly interface: number; readonly localAddress: number };
}

/** Computes the layouts by koffi's rules, which are those of this platform's C compiler. */
export function layOut(koffi: typeof Koffi): Abi {
  const { struct, array, offsetof: at, sizeof: size } = koffi;
  const iovec = struct({ base: 'void *', length: 'size_t' });
  const msghdr = struct({
    name: 'void *',
    nameLength: 'uint32',
    vectors: 'void *',
    vectorCount: 'size_t',
    control: 'void *',
    controlLength: 'size_t',
    flags: 'int',
  });
  const mmsghdr = struct({ header: msghdr, bytes: 'uint32' });
  const pollfd = struct({ fd: 'int', events: 'short', revents: 'short' });
  const inet = struct({ family: 'uint16', port: 'uint16', address: 'uint32', zero: array('uint8', 8) });
  const inet6 = struct({
    family: 'uint16',
    port: 'uint16',
    flow: 'uint32',
    address: array('uint8', 16),
    scope: 'uint32',
  });
  const cmsghdr = struct({ length: 'size_t', level: 'int', type: 'int' });
  const pktinfo = struct({ interface: 'int', localAddress: 'uint32', destination: 'uint32' });
  const pktinfo6 = struct({ localAddress: array('uint8', 16), interface: 'uint32' });

  const align = size('size_t');
  // CMSG_ALIGN of <sys/socket.h>: both parts of a control message are padded to a long.
  const padded = (bytes: number): number => Math.ceil(bytes / align) * align;
  const data = padded(size(cmsghdr));
  const header = at(mmsghdr, 'header');
  return {
    pointer: size('void *'),
    iovec: { size: size(iovec), base: at(iovec, 'base'), length: at(iovec, 'length') },
    message: {
      size: size(mmsghdr),
      name: header + at(msghdr, 'name'),
      nameLength: header + at(msghdr, 'nameLength'),
      vectors: header + at(msghdr, 'vectors'),
      vectorCount: header + at(msghdr, 'vectorCount'),
      control: header + at(msghdr, 'control'),
      controlLength: header + at(msghdr, 'controlLength'),
      flags: header + at(msghdr, 'flags'),
      bytes: at(mmsghdr, 'bytes'),
    },
    pollfd: { size: size(pollfd), fd: at(pollfd, 'fd'), events: at(pollfd, 'events'), revents: at(pollfd, 'revents') },
    inet: { size: size(inet), family: at(inet, 'family'), port: at(inet, 'port'), address: at(inet, 'address') },
    inet6: { size: size(inet6), family: at(inet6, 'family'), port: at(inet6, 'port'), address: at(inet6, 'address') },
    cmsg: { level: at(cmsghdr, 'level'), type: at(cmsghdr, 'type'), data, align },
    pktinfo: {
      space: data + padded(size(pktinfo)),
      interface: data + at(pktinfo, 'interface'),
      localAddress: data + at(pktinfo, 'localAddress'),
    },
    pktinfo6: {
      space: data + padded(size(pktinfo6)),
      interface: data + at(pktinfo6, 'interface'),
      localAddress: data + at(pktinfo6, 'localAddress'),
    },
  };
}
