import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  equalNames,
  isAtOrBelow,
  labelCount,
  lowerName,
  nameLength,
  nameToText,
  parentName,
  parseName,
  relativeText,
} from '../../dist/wire/name.js';
import { smallName, wireName } from '../support/rdata.ts';

const ROOT = Uint8Array.of(0);

function wire(text: string, origin: Uint8Array | null = null): Uint8Array {
  const parsed = parseName(text, origin);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.wire;
}

function reason(text: string, origin: Uint8Array | null = null): string {
  const parsed = parseName(text, origin);
  return parsed.ok ? `no mistake: ${nameToText(parsed.wire)}` : parsed.reason;
}

const ORG = wire('example.org.');

describe('parseName', () => {
  it('takes a final dot as absolute, anything else as relative to the origin', () => {
    expect([...wire('a.Bc.')]).toEqual([1, 97, 2, 66, 99, 0]);
    expect(nameToText(wire('a.b', ORG))).toBe('a.b.example.org.');
    expect(nameToText(wire('a.b.', ORG))).toBe('a.b.');
    expect(nameToText(wire('www', ROOT))).toBe('www.');
  });

  it('takes @ as the origin and . as the root', () => {
    expect(wire('@', ORG)).toEqual(ORG);
    expect(wire('.', ORG)).toEqual(ROOT);
  });

  it('gives a copy of the origin, not the origin itself', () => {
    const name = wire('@', ORG);
    name[0] = 9;
    expect(ORG[0]).toBe(7);
  });

  it('reads escapes', () => {
    expect([...wire('a\\.b.')]).toEqual([3, 97, 46, 98, 0]);
    expect([...wire('\\000\\255\\065.')]).toEqual([3, 0, 255, 65, 0]);
    expect([...wire('\\@', ROOT)]).toEqual([1, 64, 0]);
    expect([...wire('a\\.', ROOT)]).toEqual([2, 97, 46, 0]);
    expect([...wire('\\\\.')]).toEqual([1, 92, 0]);
  });

  it.each(['\\', '\\1', '\\12', '\\256.', '\\12x.', 'a\\'])('finds the broken escape of %j', (text) => {
    expect(reason(text, ORG)).toContain('broken escape');
  });

  it.each(['..', '.a', 'a..b.', 'a..', '.a.'])('finds the empty label of %j', (text) => {
    expect(reason(text, ORG)).toContain('empty label');
  });

  it('holds labels to 63 octets and names to 255', () => {
    const label = 'x'.repeat(63);
    expect(nameLength(wire(`${label}.`))).toBe(65);
    expect(reason(`${label}x.`)).toContain('64 octets');
    const longest = `${label}.${label}.${label}.${'x'.repeat(61)}`;
    expect(wire(`${longest}.`).length).toBe(255);
    expect(reason(`${longest}x.`)).toContain('256 octets');
    expect(reason(`${label}.${label}.${label}.${'x'.repeat(50)}`, ORG)).toContain('at most 255');
    expect(wire(`${'\\065'.repeat(63)}.`).length).toBe(65);
  });

  it('without an origin accepts only absolute names', () => {
    expect(reason('www')).toContain('"www."');
    expect(reason('@')).toContain('final dot');
  });

  it('names the A-label form of a name outside ASCII', () => {
    expect(reason('bücher.example.')).toContain('"xn--bcher-kva.example."');
    expect(reason('*._тест', ORG)).not.toContain('no mistake');
    expect(reason('*.пример', ORG)).toContain('"*.xn--e1afmkfd"');
    expect(reason('a\ufffdb.')).toContain('no domain name can have');
    expect(reason('１.')).not.toContain('0.0.0.1');
  });

  it('finds an address of mail, blanks and control characters', () => {
    expect(reason('host@net.cat')).toContain('"host.net.cat."');
    expect(reason('a b.')).toContain('\\032');
    expect(reason('a\tb.')).toContain('\\009');
    expect(reason('')).toContain('empty');
  });

  it('never throws, and what it accepts is a whole name', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', '.', '\\', '0', '9', '@', ' ', 'é', '\u{1f600}', '\ud800') }),
    );
    fc.assert(
      fc.property(text, fc.option(wireName), (written, origin) => {
        const parsed = parseName(written, origin);
        if (parsed.ok) expect(nameLength(parsed.wire)).toBe(parsed.wire.length);
        else expect(parsed.reason).not.toBe('');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('nameToText', () => {
  it('writes any octets so that they read back the same', () => {
    fc.assert(
      fc.property(wireName, (name) => {
        expect(wire(nameToText(name))).toEqual(name);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads at an offset and keeps the case', () => {
    expect(nameToText(Uint8Array.of(9, 9, 1, 65, 0, 1), 2)).toBe('A.');
    expect(nameToText(ROOT)).toBe('.');
  });

  it('never throws on octets that are no name', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(50), (bytes, at) => {
        expect(typeof nameToText(bytes, at)).toBe('string');
      }),
    );
  });
});

describe('relativeText', () => {
  it('is short inside the zone and absolute outside', () => {
    expect(relativeText(ORG, ORG)).toBe('@');
    expect(relativeText(wire('a.b.EXAMPLE.org.'), ORG)).toBe('a.b');
    expect(relativeText(wire('www.'), ROOT)).toBe('www');
    expect(relativeText(wire('xexample.org.'), ORG)).toBe('xexample.org.');
  });

  it('reads back to the same name', () => {
    fc.assert(
      fc.property(smallName, smallName, (name, apex) => {
        expect(equalNames(wire(relativeText(name, apex), apex), name)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('nameLength', () => {
  it('counts to the final zero', () => {
    expect(nameLength(Uint8Array.of(1, 97, 0, 5), 0)).toBe(3);
    expect(nameLength(Uint8Array.of(1, 97, 0, 5), 2)).toBe(1);
  });

  it('refuses pointers, labels over 63 octets, what ends early, and names over 255 octets', () => {
    expect(nameLength(Uint8Array.of(0xc0, 12))).toBe(-1);
    expect(nameLength(Uint8Array.of(64, ...new Uint8Array(65)))).toBe(-1);
    expect(nameLength(Uint8Array.of(3, 97, 98))).toBe(-1);
    expect(nameLength(Uint8Array.of(1, 97))).toBe(-1);
    expect(nameLength(new Uint8Array(0))).toBe(-1);
    const letters = new Uint8Array(300).map((_, i) => (i % 2 === 0 ? 1 : 97));
    expect(nameLength(Uint8Array.of(...letters.subarray(0, 254), 0))).toBe(255);
    expect(nameLength(Uint8Array.of(...letters.subarray(0, 252), 2, 97, 97, 0))).toBe(-1);
  });
});

describe('names compare', () => {
  it('without regard to ASCII case, and to no other', () => {
    expect(equalNames(wire('A.Z.'), wire('a.z.'))).toBe(true);
    expect(equalNames(wire('[.'), wire('{.'))).toBe(false);
    expect(equalNames(wire('\\192.'), wire('\\224.'))).toBe(false);
    expect(lowerName(wire('AZ[\\192.Ab.'))).toEqual(wire('az[\\192.ab.'));
  });

  it('by whole labels when one is below the other', () => {
    expect(isAtOrBelow(wire('a.Example.ORG.'), ORG)).toBe(true);
    expect(isAtOrBelow(ORG, ORG)).toBe(true);
    expect(isAtOrBelow(ORG, ROOT)).toBe(true);
    expect(isAtOrBelow(wire('org.'), ORG)).toBe(false);
    expect(isAtOrBelow(wire('myexample.org.'), ORG)).toBe(false);
    // The last octets are those of example.org., but they begin inside of a label.
    expect(isAtOrBelow(wire('x\\007example.org.'), ORG)).toBe(false);
  });

  it('with their parents above them', () => {
    expect(parentName(wire('a.b.'))).toEqual(wire('b.'));
    expect(parentName(wire('b.'))).toEqual(ROOT);
    expect(parentName(ROOT)).toBeNull();
    expect([labelCount(ROOT), labelCount(ORG), labelCount(wire('a\\.b.c.'))]).toEqual([0, 2, 2]);
  });
});
