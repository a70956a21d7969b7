import { expect, it } from 'vitest';
import { lowerOctet } from '../../dist/base/ascii.js';

it('lowers the capitals A to Z and leaves every other octet as it is', () => {
  for (let octet = 0; octet < 256; octet++) {
    expect(lowerOctet(octet), String(octet)).toBe(octet >= 65 && octet <= 90 ? octet + 32 : octet);
  }
});
