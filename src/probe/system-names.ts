// The addresses of an absolute name: from the hosts file, else from the servers of resolv.conf.
//
// Not getaddrinfo: it would go through the search list (a wildcard there answers for a dead name), and four names that don't resolve
// would hold up all others in libuv's pool of threads.
import { createSocket } from 'node:dgram';
import { Resolver as DnsResolver } from 'node:dns/promises';
import { readFileSync, statSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { isLocalError } from './outcome.ts';

/** Gives a name's addresses, or rejects with an error that has a code; ends at once when the signal aborts. The name has no final dot. */
export type Lookup = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Errors that say that there is no such name or address, not that the servers have trouble. */
const GONE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/** Whether a lookup's error says that the name has no address. */
export function isGone(error: unknown): boolean {
  return GONE.has(codeOf(error));
}

export interface SystemNamesOptions {
  readonly clock: Clock;
  readonly hostsFile?: string;
  /** `address` or `address:port` of servers to ask instead of resolv.conf's. */
  readonly servers?: readonly string[];
}

/** Asks the hosts file, then DNS. Each lookup has a channel of its own: servers that fail for one name count as failed for no other. */
export function systemLookup({ clock, hostsFile = '/etc/hosts', servers }: SystemNamesOptions): Lookup {
  const hosts = new HostsFile(hostsFile);
  return async (name, signal) => {
    const written = hosts.addresses(name);
    if (written.length > 0) return written;
    // c-ares would say "refused", or try until its time is up.
    const trouble = await socketTrouble();
    if (trouble !== undefined) throw trouble;
    if (signal.aborted) throw Object.assign(new Error(`${name} is not looked up any more`), { code: 'ECANCELLED' });
    const resolver = new DnsResolver({ timeout: limits.nameTimeoutMs, tries: limits.nameTries });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = (): void => resolver.cancel();
    signal.addEventListener('abort', cancel);
    try {
      return await bothFamilies(resolver.resolve6(name), resolver.resolve4(name), clock);
    } finally {
      signal.removeEventListener('abort', cancel);
      cancel();
    }
  };
}

/** Both families' addresses in turns, IPv6 first; one family alone when the other takes much longer (RFC 8305 3) or has none. */
function bothFamilies(six: Promise<string[]>, four: Promise<string[]>, clock: Clock): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const found: string[][] = [[], []];
    const errors: unknown[] = [];
    let open = 2;
    let cancelWait: (() => void) | undefined;
    const done = (): void => {
      cancelWait?.();
      const [first = [], second = []] = found;
      const addresses = Array.from({ length: Math.max(first.length, second.length) }, (_, i) => [first[i], second[i]])
        .flat()
        .filter((address) => address !== undefined);
      if (addresses.length > 0) resolve(addresses);
      // Trouble with one family's question leaves open whether the name is gone.
      else reject(errors.find((error) => !isGone(error)) ?? errors[0]);
    };
    const settle = (): void => {
      if (--open === 0) done();
      else if (found.some((list) => list.length > 0)) cancelWait = clock.after(limits.nameFamilyWaitMs, done);
    };
    for (const [i, asked] of [six, four].entries())
      asked.then(
        (addresses) => {
          found[i] = addresses;
          settle();
        },
        (error: unknown) => {
          errors.push(error);
          settle();
        },
      );
  });
}

/** The error that opening a socket gives just now, when this machine is to blame for it. */
function socketTrouble(): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.on('error', (error) => {
      socket.close();
      resolve(isLocalError(error) ? error : undefined);
    });
    socket.bind(0, () => {
      socket.close();
      resolve(undefined);
    });
  });
}

/** hosts(5), read again when it changed. */
class HostsFile {
  readonly #path: string;
  #stamp = '';
  #names: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  /** What the file has for the name; throws only when this machine has run out of something. */
  addresses(name: string): readonly string[] {
    try {
      const stats = statSync(this.#path);
      const stamp = `${stats.mtimeMs}/${stats.size}/${stats.ino}`;
      if (stamp !== this.#stamp) {
        const usable = stats.isFile() && stats.size <= limits.hostsFileBytes;
        this.#names = usable ? readHosts(readFileSync(this.#path, 'utf8')) : new Map();
        this.#stamp = stamp;
      }
    } catch (error) {
      if (isLocalError(error)) throw error;
      this.#names = new Map();
      this.#stamp = '';
    }
    return this.#names.get(name.toLowerCase()) ?? [];
  }
}

function readHosts(text: string): Map<string, readonly string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = line.split('#', 1)[0]!.trim().split(/\s+/);
    if (!isIPv4(address) && !isIPv6(address)) continue;
    for (const name of names) {
      const key = name.toLowerCase().replace(/\.$/, '');
      const known = hosts.get(key);
      if (known === undefined) hosts.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return hosts;
}

function codeOf(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? '';
}
