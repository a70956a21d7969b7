// A zone's name in its forms: the root is the one that has three.
import { describe, expect, it } from 'vitest';
import { absoluteName, withoutFinalDot, zoneOfStem, zoneStem } from '../../dist/wire/zone-name.js';

describe("a zone's name", () => {
  it.each([
    ['net.cat', 'net.cat.', 'net.cat'],
    ['.', '.', 'root'],
  ])(
    '%s is %s with its final dot, %s where files and paths are named, and comes back from both',
    (zone, absolute, stem) => {
      expect(absoluteName(zone)).toBe(absolute);
      expect(absoluteName(absolute)).toBe(absolute);
      expect(withoutFinalDot(absolute)).toBe(zone);
      expect(withoutFinalDot(zone)).toBe(zone);
      expect(zoneStem(zone)).toBe(stem);
      expect(zoneOfStem(stem.toUpperCase())).toBe(zone);
    },
  );
});
