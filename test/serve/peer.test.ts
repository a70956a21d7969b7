// The peer's address from Node's text, and the networks that connections are counted by.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyPeer } from '../../dist/answer/port.js';
import { contains, formatAddress, type Prefix } from '../../dist/base/address.js';
import { ClientCounts } from '../../dist/serve/clients.js';
import { copyPeer, fillPeer } from '../../dist/serve/peer.js';

function peer(text: string): ReturnType<typeof emptyPeer> {
  const filled = emptyPeer();
  expect(fillPeer(filled, text, 5353)).toBe(true);
  return filled;
}

describe('fillPeer', () => {
  it.each([
    ['192.0.2.1', { family: 4, w0: 0xc0000201 | 0, w1: 0, w2: 0, w3: 0 }],
    ['2001:db8::1', { family: 6, w0: 0x20010db8, w1: 0, w2: 0, w3: 1 }],
    ['::ffff:192.0.2.1', { family: 4, w0: 0xc0000201 | 0, w1: 0, w2: 0, w3: 0 }],
    ['fe80::ff:fe00:1%eth0', { family: 6, w0: 0xfe800000 | 0, w1: 0, w2: 0xff, w3: 0xfe000001 | 0 }],
  ])('reads %s', (text, words) => {
    expect(peer(text)).toEqual({ ...words, port: 5353 });
  });

  it('refuses what is no address', () => {
    expect(fillPeer(emptyPeer(), '', 1)).toBe(false);
    expect(fillPeer(emptyPeer(), 'localhost', 1)).toBe(false);
  });

  it('leaves nothing of the peer before', () => {
    const filled = peer('2001:db8:1:2:3:4:5:6');
    fillPeer(filled, '192.0.2.1', 5353);
    expect(filled).toEqual(peer('192.0.2.1'));
    const copy = peer('2001:db8:1:2:3:4:5:6');
    copyPeer(filled, copy);
    expect(copy).toEqual(filled);
  });
});

describe('ClientCounts', () => {
  const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

  it.each([4, 6] as const)('takes two IPv%i addresses for one client where their prefix is the same', (family) => {
    const size = family === 4 ? 4 : 16;
    fc.assert(
      fc.property(bytes(size), bytes(size), fc.nat(size * 8), fc.nat(size), (a, b, bits, common) => {
        b.set(a.subarray(0, common));
        const counts = new ClientCounts(bits, bits);
        const one = counts.networkOf(peer(formatAddress({ family, bytes: a })));
        const other = counts.networkOf(peer(formatAddress({ family, bytes: b })));
        const prefix: Prefix = { address: { family, bytes: a }, length: bits };
        expect(one === other).toBe(contains(prefix, { family, bytes: b }));
      }),
    );
  });

  it('counts up and down', () => {
    const counts = new ClientCounts(24, 56);
    const network = counts.networkOf(peer('192.0.2.1'));
    counts.add(network);
    counts.add(counts.networkOf(peer('192.0.2.200')));
    expect(counts.of(network)).toBe(2);
    counts.remove(network);
    counts.remove(network);
    expect(counts.of(network)).toBe(0);
    expect(counts.of(counts.networkOf(peer('192.0.3.1')))).toBe(0);
  });
});
