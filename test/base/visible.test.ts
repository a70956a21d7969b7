import fc from 'fast-check';
import { expect, it } from 'vitest';
import { visible, visibleLines } from '../../dist/base/visible.js';

it('shows what would clear a terminal, turn text around or take no place', () => {
  expect(visible('a\u001b[2Jb')).toBe('a\\u001b[2Jb');
  expect(visible('a\u009b2Jb')).toBe('a\\u009b2Jb');
  expect(visible('up\u202enwod')).toBe('up\\u202enwod');
  expect(visible('a\u200bb\ufeffc\u2066d\u2028e')).toBe('a\\u200bb\\ufeffc\\u2066d\\u2028e');
  expect(visible('tag \u{e0041}')).toBe('tag \\udb40\\udc41');
});

it('leaves what can be seen as it is', () => {
  const text = 'Zürich, São Paulo, Москва, 東京 — 100% ✓';
  expect(visible(text)).toBe(text);
});

it('keeps the line feeds of a text of lines, and no other control', () => {
  expect(visibleLines('one\ntwo\r\n\tthree')).toBe('one\ntwo\\u000d\n\\u0009three');
});

it('makes no line of one line, and of JSON the same JSON, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(visible(text)).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      expect(JSON.parse(visibleLines(JSON.stringify({ text })))).toEqual({ text });
    }),
  );
});
