// An address to listen on, and what the operator is told when that fails.
import { type Address, formatAddress } from '../base/address.ts';

export interface ListenAddress {
  readonly address: Address;
  /** 0 picks a free one, the same for UDP and TCP. */
  readonly port: number;
}

export interface ListenFailure {
  readonly listen: ListenAddress;
  /** `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, `EAFNOSUPPORT`, `EMFILE` or `errno N`. */
  readonly code: string;
  /** One line for the operator: what, where, and what to do. */
  readonly message: string;
}

/** The line for an address that can't be listened on: where, why, and what to do. Node's error codes are the same names. */
export function listenMessage(listen: ListenAddress, code: string, protocol: 'UDP' | 'TCP'): string {
  const text = formatAddress(listen.address);
  const where = listen.address.family === 4 ? `${text}:${listen.port}` : `[${text}]:${listen.port}`;
  return `cannot listen on ${where} (${protocol}): ${explain(listen, code)}`;
}

function explain(listen: ListenAddress, code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `EADDRINUSE, the port is taken; stop what uses it (ss -lntup 'sport = :${listen.port}' names it) or change \`listen\``;
    case 'EACCES':
      return `EACCES, ports below 1024 need CAP_NET_BIND_SERVICE (setcap, or AmbientCapabilities= in the unit) or a higher port in \`listen\``;
    case 'EADDRNOTAVAIL':
      return 'EADDRNOTAVAIL, this machine does not have that address; correct `listen` or add the address first';
    case 'EAFNOSUPPORT':
      return `EAFNOSUPPORT, this machine has no IPv${listen.address.family}; take the address out of \`listen\``;
    case 'EMFILE':
      return 'EMFILE, too many open files; raise the limit (ulimit -n, or LimitNOFILE= in the unit)';
    default:
      return code;
  }
}
