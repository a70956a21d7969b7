// Which addresses are listened on: those of the settings, without an unwritten [::1] on a machine that has no IPv6.
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { formatAddress } from '../base/address.ts';
import type { Logger } from '../base/log.ts';
import type { ListenAddress } from '../serve/listen.ts';
import type { Settings } from '../settings/settings.ts';

/** By interface, as `os.networkInterfaces()` has them. */
type Interfaces = Readonly<Record<string, readonly Pick<NetworkInterfaceInfo, 'address'>[] | undefined>>;

/**
 * The addresses to open. Of the default ones those that the machine has, or all where it has none of them: then the failure says why.
 * Written ones stay: that one of them can't be had is for its writer to know.
 */
export function listenAddresses(
  { listen, listenGiven }: Pick<Settings, 'listen' | 'listenGiven'>,
  log: Logger,
  interfaces: Interfaces = networkInterfaces(),
): readonly ListenAddress[] {
  if (listenGiven) return listen;
  const own = new Set(Object.values(interfaces).flatMap((list) => list?.map(({ address }) => address) ?? []));
  const there = listen.filter(({ address }) => own.has(formatAddress(address)));
  if (there.length === 0) return listen;
  for (const { text } of listen.filter((endpoint) => !there.includes(endpoint))) {
    log.info({ event: 'address-left-out', listen: text }, 'this machine does not have a default address to listen on');
  }
  return there;
}
