// Addresses that lead no farther than this machine's own link, or to a cloud's metadata about it.
import { type Address, parseAddress } from './address.ts';

/** Where clouds answer with a machine's credentials: Amazon, Google, Alibaba, Azure. */
const METADATA = ['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '168.63.129.16'].map(bytesOf);
/** IPv4 inside IPv6: mapped (RFC 4291 2.5.5.2) and behind NAT64 (RFC 6052 2.1). */
const EMBEDDING = ['::ffff:0:0', '64:ff9b::'].map((text) => bytesOf(text).subarray(0, 12));

/** Whether an address is link-local (RFC 3927, RFC 4291 2.5.6) or a cloud's metadata service, also where it is IPv4 inside IPv6. */
export function isLinkLocal(address: Address): boolean {
  // For each probe: no prefixes, whose arithmetic makes objects.
  const { bytes } = embeddedIpv4(address);
  if (bytes.length === 4 ? bytes[0] === 169 && bytes[1] === 254 : bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80)
    return true;
  return METADATA.some((known) => known.length === bytes.length && beginsWith(bytes, known));
}

/** The IPv4 address inside of a mapped or NAT64 one; else the address itself. */
export function embeddedIpv4(address: Address): Address {
  const { bytes } = address;
  if (bytes.length === 4 || !EMBEDDING.some((prefix) => beginsWith(bytes, prefix))) return address;
  return { family: 4, bytes: bytes.subarray(12) };
}

/** As `isLinkLocal`, for a text; a zone id (`%eth0`) doesn't count. Text that is no address is none. */
export function isLinkLocalText(text: string): boolean {
  const address = parseAddress(text.replace(/%.*$/, ''));
  return address !== undefined && isLinkLocal(address);
}

function beginsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false;
  return true;
}

function bytesOf(text: string): Uint8Array {
  return parseAddress(text)!.bytes;
}
