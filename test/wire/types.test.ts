import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isMetaType,
  RCODE,
  rcodeFromText,
  rcodeToText,
  TYPE,
  typeFromText,
  typeToText,
} from '../../dist/wire/types.js';

describe('types', () => {
  it('have the numbers of the registry', () => {
    expect([TYPE.A, TYPE.AAAA, TYPE.SRV, TYPE.DNAME, TYPE.OPT, TYPE.SVCB, TYPE.HTTPS, TYPE.CAA]).toEqual([
      1, 28, 33, 39, 41, 64, 65, 257,
    ]);
  });

  it('are read by mnemonic in any case, and as TYPEn', () => {
    expect(typeFromText('https')).toBe(65);
    expect(typeFromText('TYPE65')).toBe(65);
    expect(typeFromText('type65280')).toBe(65280);
  });

  it.each(['', 'TYPE', 'TYPE065', 'TYPE65536', 'TYPE-1', 'ADDR', 'TYPE1x', 'constructor', '__proto__'])(
    'do not read %j',
    (text) => {
      expect(typeFromText(text)).toBeUndefined();
    },
  );

  it('of every number print as what reads back', () => {
    fc.assert(
      fc.property(fc.nat(65535), (type) => {
        expect(typeFromText(typeToText(type))).toBe(type);
      }),
    );
  });

  it('that only questions have are told apart from data', () => {
    expect([TYPE.OPT, TYPE.TSIG, TYPE.IXFR, TYPE.AXFR, TYPE.ANY, 0].every(isMetaType)).toBe(true);
    expect([TYPE.A, TYPE.SPF, TYPE.EUI64, TYPE.URI, TYPE.CAA, 65280].some(isMetaType)).toBe(false);
  });
});

describe('response codes', () => {
  it('print as their names, or by number', () => {
    expect(rcodeToText(RCODE.NXDOMAIN)).toBe('NXDOMAIN');
    expect(rcodeToText(16)).toBe('BADVERS');
    expect(rcodeToText(3841)).toBe('RCODE3841');
  });

  it('are read back', () => {
    expect(rcodeFromText('servfail')).toBe(2);
    expect(rcodeFromText('RCODE3841')).toBe(3841);
    expect(rcodeFromText('RCODE4096')).toBeUndefined();
    expect(rcodeFromText('OK')).toBeUndefined();
  });
});
