import { describe, expect, it } from 'vitest';
import { hostName, listensOnLoopback, originAllowed } from '../../dist/admin/host.js';

describe('a host', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['::2', false],
    ['1::1', false],
    ['::ffff:10.0.0.1', false],
    ['192.0.2.1', false],
    ['example.org', false],
  ])('%s is loopback: %s', (host, is) => {
    expect(listensOnLoopback(host)).toBe(is);
  });

  it.each([
    ['Example.ORG.:8053', 'example.org'],
    ['[2001:DB8::1]:80', '2001:db8::1'],
    ['192.0.2.1', '192.0.2.1'],
    ['a:b:c', undefined],
    ['a/b', undefined],
    ['', undefined],
  ])('header %s names %s', (header, name) => {
    expect(hostName(header)).toBe(name);
  });

  it('takes changes from its own pages and from programs alone', () => {
    expect(originAllowed(undefined, 'localhost:8053')).toBe(true);
    expect(originAllowed('http://localhost:8053', 'localhost:8053')).toBe(true);
    expect(originAllowed('https://dns.example.org', 'dns.example.org')).toBe(true);
    expect(originAllowed('http://localhost:9999', 'localhost:8053')).toBe(false);
    expect(originAllowed('null', 'localhost:8053')).toBe(false);
  });
});
