// Addresses that lead no farther than this machine's own link, or to a cloud's metadata about it.
import { type Address, contains, parseAddress, parsePrefix } from './address.ts';

/** Link-local (RFC 3927, RFC 4291 2.5.6), and where clouds answer with a machine's credentials. */
const NETWORKS = [
  '169.254.0.0/16',
  'fe80::/10',
  // Amazon, Google, Alibaba, Azure.
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  '100.100.100.200/32',
  '168.63.129.16/32',
].map((text) => parsePrefix(text)!);
/** IPv4 inside IPv6: mapped (RFC 4291 2.5.5.2) and behind NAT64 (RFC 6052 2.1). */
const EMBEDDING = ['::ffff:0:0/96', '64:ff9b::/96'].map((text) => parsePrefix(text)!);

/** Whether an address is link-local or a cloud's metadata service, also where it is IPv4 inside IPv6. */
export function isLinkLocal(address: Address): boolean {
  const plain = embeddedIpv4(address);
  return NETWORKS.some((network) => contains(network, plain));
}

/** The IPv4 address inside of a mapped or NAT64 one; else the address itself. */
export function embeddedIpv4(address: Address): Address {
  if (!EMBEDDING.some((network) => contains(network, address))) return address;
  return { family: 4, bytes: address.bytes.slice(12) };
}

/** As `isLinkLocal`, for a text; a zone id (`%eth0`) doesn't count. Text that is no address is none. */
export function isLinkLocalText(text: string): boolean {
  const address = parseAddress(text.replace(/%.*$/, ''));
  return address !== undefined && isLinkLocal(address);
}
