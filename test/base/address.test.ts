// What is this machine's own address: one rule for the admin, the sockets and the clients.
import { describe, expect, it } from 'vitest';
import { isLoopback, isLoopbackWords, parseAddress } from '../../dist/base/address.js';

describe('an address', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['126.0.0.1', false],
    ['192.0.2.1', false],
    ['0.0.0.0', false],
    ['::', false],
    ['::2', false],
    ['1::1', false],
    ['::1:0:0:1', false],
    ['::127.0.0.1', false],
    ['::ffff:10.0.0.1', false],
    ['::fffe:127.0.0.1', false],
    ['2001:db8::1', false],
    ['7f00::1', false],
  ])('%s is loopback: %s, as bytes and as words', (text, expected) => {
    const address = parseAddress(text)!;
    expect(isLoopback(address)).toBe(expected);
    const view = new DataView(address.bytes.buffer);
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = Array.from({ length: address.bytes.length / 4 }, (_, i) =>
      view.getInt32(i * 4),
    );
    expect(isLoopbackWords(address.family, w0, w1, w2, w3)).toBe(expected);
  });
});
