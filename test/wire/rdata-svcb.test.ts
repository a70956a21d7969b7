import { describe, expect, it } from 'vitest';
import { parseRdata, rdataToText } from '../../dist/wire/rdata.js';
import { TYPE } from '../../dist/wire/types.js';
import { isWellFormed } from '../support/rdata.ts';

const ROOT = Uint8Array.of(0);
const FOO = '03666f6f076578616d706c6503636f6d00';
const FOO_ORG = '03666f6f076578616d706c65036f726700';

function parse(text: string) {
  return parseRdata(TYPE.SVCB, text, ROOT);
}

function reason(text: string): string {
  const parsed = parse(text);
  return parsed.ok ? `no mistake: ${rdataToText(TYPE.SVCB, parsed.bytes)}` : parsed.reason;
}

function octets(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

describe('SVCB and HTTPS', () => {
  it.each([
    // RFC 9460 D.1 and D.2.
    ['0 foo.example.com.', `0000 ${FOO}`, '0 foo.example.com.'],
    ['1 .', '0001 00', '1 .'],
    ['16 foo.example.com. port=53', `0010 ${FOO} 0003 0002 0035`, '16 foo.example.com. port=53'],
    ['1 foo.example.com. key667=hello', `0001 ${FOO} 029b 0005 68656c6c6f`, '1 foo.example.com. key667="hello"'],
    [
      '1 foo.example.com. key667="hello\\210qoo"',
      `0001 ${FOO} 029b 0009 68656c6c6fd2716f6f`,
      '1 foo.example.com. key667="hello\\210qoo"',
    ],
    [
      '1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1"',
      `0001 ${FOO} 0006 0020 20010db8000000000000000000000001 20010db8000000000000000000530001`,
      '1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1',
    ],
    [
      '1 example.com. ipv6hint="2001:db8:122:344::192.0.2.33"',
      '0001 076578616d706c6503636f6d00 0006 0010 20010db8012203440000 0000 c0000221',
      '1 example.com. ipv6hint=2001:db8:122:344::c000:221',
    ],
    [
      '16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1',
      `0010 ${FOO_ORG} 0000 0004 0001 0004 0001 0009 02 6832 05 68332d3139 0004 0004 c0000201`,
      '16 foo.example.org. mandatory=alpn,ipv4hint alpn="h2,h3-19" ipv4hint=192.0.2.1',
    ],
    [
      '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
      `0010 ${FOO_ORG} 0001 000c 08 665c6f6f2c626172 02 6832`,
      '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
    ],
    [
      '16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2',
      `0010 ${FOO_ORG} 0001 000c 08 665c6f6f2c626172 02 6832`,
      '16 foo.example.org. alpn="f\\\\\\\\oo\\\\,bar,h2"',
    ],
    // RFC 9461 5, RFC 9540 4.
    [
      '1 . alpn=h2 dohpath=/q{?dns} ohttp',
      '0001 00 0001 0003 026832 0007 0008 2f717b3f646e737d 0008 0000',
      '1 . alpn="h2" dohpath="/q{?dns}" ohttp',
    ],
    ['1 . ech=AEn+', '0001 00 0005 0003 0049fe', '1 . ech=AEn+'],
    // RFC 9460 2.1: behind keyNNNNN the value is taken as it stands, and known keys are no exception.
    ['1 . key1=\\002h2', '0001 00 0001 0003 026832', '1 . alpn="h2"'],
    ['1 . key9', '0001 00 0009 0000', '1 . key9'],
    ['1 . KEY9="" PORT=1', '0001 00 0003 0002 0001 0009 0000', '1 . port=1 key9'],
    ['1 . no-default-alpn alpn=h3', '0001 00 0001 0003 026833 0002 0000', '1 . alpn="h3" no-default-alpn'],
  ])('reads %s', (text, hex, printed) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ ok: true, bytes: octets(hex), names: [] });
    expect(rdataToText(TYPE.HTTPS, octets(hex))).toBe(printed);
  });

  it.each([
    // RFC 9460 D.3.
    ['key123=abc key123=def', 'stands twice'],
    ['mandatory', 'no value'],
    ['alpn', 'no value'],
    ['port', 'no value'],
    ['ipv4hint', 'no value'],
    ['ipv6hint', 'no value'],
    ['no-default-alpn=abc', 'takes no value'],
    ['mandatory=key123', 'key123, which does not stand'],
    ['mandatory=mandatory', 'not list itself'],
    ['mandatory=key123,key123 key123=abc', 'each key once'],
    ['alpn=', 'no value'],
    ['alpn=h2,,h3', 'none empty'],
    ['alpn=h2,', 'none empty'],
    ['alpn=h\\\\2', 'commas between'],
    [`alpn=${'x'.repeat(256)}`, 'more than 255'],
    ['no-default-alpn', 'needs an alpn'],
    ['port=65536', 'no port'],
    ['port=080', 'no port'],
    ['ipv4hint=2001:db8::1', 'no IPv4 address'],
    ['ipv4hint=192.0.2.1,', 'no IPv4 address'],
    ['ipv6hint=192.0.2.1', 'no IPv6 address'],
    ['ech=A', 'no base64'],
    ['dohpath=/q', 'variable dns'],
    ['dohpath=q{?dns}', 'begin with /'],
    ['mandatory=foo', 'no SvcParam key'],
    ['foo=1', 'no SvcParam key'],
    ['key065=1', 'no SvcParam key'],
    ['key65535=1', 'no SvcParam key'],
    ['"alpn=h2"', 'before the quotes'],
    ['alpn="h2"x', 'follows a quote'],
    ['alpn="h2', 'not closed'],
    ['alpn=\\300', 'broken escape'],
    ['key3=x', 'two octets'],
  ])('refuses 1 . %s', (parameters, why) => {
    expect(reason(`1 . ${parameters}`)).toContain(why);
  });

  it('refuses parameters of an alias', () => {
    expect(reason('0 foo. alpn=h2')).toContain('alias has no parameters');
  });

  it.each([
    ['keys out of order', '0001 00 0004 0004 c0000201 0003 0002 0035'],
    ['a key twice', '0001 00 0003 0002 0035 0003 0002 0035'],
    ['the invalid key', '0001 00 ffff 0000'],
    ['a value that ends early', '0001 00 0003 0002 00'],
    ['a key without a length', '0001 00 0003'],
    ['a compressed target', '0001 c00c'],
    ['mandatory keys out of order', '0001 00 0000 0004 0004 0001 0001 0003 026832 0004 0004 c0000201'],
    ['an empty protocol', '0001 00 0001 0004 00 026832'],
    ['a protocol that ends early', '0001 00 0001 0003 036832'],
    ['hints of half an address', '0001 00 0004 0006 c0000201c000'],
  ])('finds %s on the wire', (_, hex) => {
    expect(isWellFormed(TYPE.SVCB, octets(hex))).toBe(false);
    expect(rdataToText(TYPE.SVCB, octets(hex))).toMatch(/^\\# /);
  });
});
