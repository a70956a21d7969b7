// Addresses of members: what was meant by one that is none, and those at which no client can find a backend.
import { type Address, formatAddress, parseAddress } from '../base/address.ts';
import type { Document, ScalarNode } from '../base/document.ts';
import { embeddedIpv4 } from '../base/link-local.ts';

/** Reports a member that is neither an address nor a name. */
export function reportBadAddress(document: Document, scalar: ScalarNode): void {
  const { text } = scalar;
  const withPort = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]+)$/.exec(text);
  const host = withPort?.[1] ?? withPort?.[2];
  if (host !== undefined && parseAddress(host) !== undefined) {
    const message = `"${text}" has a port: DNS answers addresses alone`;
    const quoted = host.includes(':') ? `"${host}"` : host;
    const fix = `write ${quoted}; the port belongs into the check: { tcp: { port: ${withPort?.[3]} } } or { http: { port: ${withPort?.[3]} } }`;
    document.report('bad-address', scalar, message, fix);
    return;
  }
  if (/^[0-9A-Fa-f:.]+\/[0-9]+$/.test(text)) {
    const fix = `write the address of each backend, such as ${text.slice(0, text.indexOf('/'))}`;
    document.report('bad-address', scalar, `"${text}" is a network, not a backend`, fix);
    return;
  }
  const bare = /^\[([0-9A-Fa-f:.]+)\]$/.exec(text)?.[1];
  const fix =
    bare !== undefined && parseAddress(bare) !== undefined
      ? `write "${bare}", without brackets`
      : 'write an address such as 192.0.2.1 or "2001:db8::1", or, for CNAME, a name with a final dot';
  document.report('bad-address', scalar, `"${text}" is no IP address`, fix);
}

/** Warns of an address at which no client can find a backend; link-local ones are left to `isLinkLocalUnicast`. */
export function lintMemberAddress(document: Document, scalar: ScalarNode, address: Address): void {
  const { bytes } = address;
  const inside = embeddedIpv4(address);
  if (inside !== address && bytes[0] === 0) {
    const ipv4 = formatAddress(inside);
    const message = `${scalar.text} is an IPv4 address in the clothes of IPv6: no client can reach it`;
    document.report('unusable-address', scalar, message, `write ${ipv4}`);
    return;
  }
  const kind = unusableKind(bytes);
  if (kind === null) return;
  const message = `${scalar.text} is ${kind}: no backend has it`;
  document.report('unusable-address', scalar, message, 'write the address of the backend');
}

function unusableKind(bytes: Uint8Array): string | null {
  if (bytes.every((octet) => octet === 0)) return 'the unspecified address';
  if (bytes.length === 16) return bytes[0] === 0xff ? 'a multicast address' : null;
  if (bytes.every((octet) => octet === 255)) return 'the broadcast address';
  return (bytes[0]! & 0xf0) === 0xe0 ? 'a multicast address' : null;
}

/** Whether an address means something on one link only (RFC 3927, RFC 4291 2.5.6): clients elsewhere never get there. */
export function isLinkLocalUnicast(bytes: Uint8Array): boolean {
  return bytes.length === 4 ? bytes[0] === 169 && bytes[1] === 254 : bytes[0] === 0xfe && (bytes[1]! & 0xc0) === 0x80;
}
