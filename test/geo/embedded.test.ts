import { describe, expect, it } from 'vitest';
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from '../../dist/base/address.js';
import { placedAddress, placedPrefix } from '../../dist/geo/embedded.js';

describe('IPv4 inside IPv6', () => {
  it.each([
    ['v4-mapped', '::ffff:198.51.100.7', '198.51.100.7'],
    ['NAT64', '64:ff9b::c633:6407', '198.51.100.7'],
    ['6to4', '2002:c633:6407:1::53', '198.51.100.7'],
    // The example of RFC 4380 4: the client's address is inverted.
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '192.0.2.45'],
    ['an address beside v4-mapped', '::fffe:198.51.100.7', '::fffe:c633:6407'],
    ['an address beside NAT64', '64:ff9b:1::c633:6407', '64:ff9b:1::c633:6407'],
    ['an address beside Teredo', '2001:1::1', '2001:1::1'],
    ['an IPv4 address', '198.51.100.7', '198.51.100.7'],
  ])('is found in %s', (_, text, expected) => {
    expect(formatAddress(placedAddress(parseAddress(text)!))).toBe(expected);
  });

  it.each([
    ['::ffff:198.51.100.0/120', '198.51.100.0/24'],
    ['2002:c633:6400::/40', '198.51.100.0/24'],
    ['2002::/16', '0.0.0.0/0'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['::/0', '::/0'],
    ['2002:c633:6407:1::/64', undefined],
    ['2001:0:1::/48', undefined],
  ])('makes of the network %s %s', (text, expected) => {
    const placed = placedPrefix(parsePrefix(text)!);
    expect(placed && formatPrefix(placed)).toBe(expected);
  });
});
