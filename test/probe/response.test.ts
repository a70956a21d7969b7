// Reading HTTP/1.1 responses piece by piece.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import { type Progress, ResponseReader } from '../../dist/probe/response.js';

/** Feeds a text, cut at these places. Returns the reader and what the last piece that was taken led to. */
function read(text: string | Buffer, method = 'GET', cuts: readonly number[] = []): [ResponseReader, Progress] {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const reader = new ResponseReader(method);
  let progress: Progress = 'more';
  let from = 0;
  for (const to of [...new Set(cuts)].sort((a, b) => a - b).concat(bytes.length)) {
    if (progress !== 'more' || to <= from || to > bytes.length) continue;
    progress = reader.push(bytes.subarray(from, to));
    from = to;
  }
  return [reader, progress];
}

const found = ([reader, progress]: [ResponseReader, Progress]) => ({
  progress,
  status: reader.status,
  body: reader.body.toString('latin1'),
  reusable: reader.reusable,
  ended: reader.end(),
});

describe('a response', () => {
  test.each([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 'ok', true],
    [
      'with a length that is told twice',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\nok',
      'ok',
      true,
    ],
    ['without a body', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', '', true],
    ['whose status says that there is none', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', '', true],
    ['without words after the status', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 'ok', true],
    [
      'in chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n0000000000000001;x=y\r\nk\r\n0\r\n\r\n',
      'ok',
      true,
    ],
    [
      'in chunks, with trailers, and a length that does not count (RFC 9112 6.3)',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 9\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n',
      'ok',
      true,
    ],
    ['of a server that ends lines with LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 'ok', true],
    [
      'after interim ones',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      'ok',
      true,
    ],
    ['that closes', 'HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok', 'ok', false],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok', 'ok', false],
    ['of HTTP/1.0 that stays', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok', 'ok', true],
    ['with more behind it', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500', 'ok', false],
  ])('%s is whole, however it is cut', (_, text, body, reusable) => {
    const status = Number(/ (20[04])/.exec(text)![1]);
    const expected = { progress: 'whole', status, body, reusable, ended: true };
    expect(found(read(text))).toEqual(expected);
    if (text.endsWith('500')) return;
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
        expect(found(read(text, 'GET', cuts))).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('to HEAD has no body, whatever length it tells', () => {
    expect(found(read('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 'HEAD'))).toMatchObject({
      progress: 'whole',
      body: '',
    });
  });

  it('without length and chunks ends with the connection, and with it only', () => {
    const whole = read('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok');
    expect(found(whole)).toEqual({ progress: 'more', status: 200, body: 'ok', reusable: false, ended: true });
    for (const cut of ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok', 'HTTP/1.1 200 OK\r\nX: y\r\n', 'HTT', ''])
      expect(found(read(cut))).toMatchObject({ progress: 'more', ended: false });
  });

  it('has its headers by lower-case names, repeated ones as a list, folded ones as one', () => {
    const [reader] = read(
      'HTTP/1.1 200 OK\r\nX-Load: 0.5 \r\nSet-Cookie: a\r\nset-cookie:b\r\nFolded: one\r\n  two\r\n__proto__: p\r\n\r\n',
    );
    expect({ ...reader.headers }).toEqual({
      'x-load': '0.5',
      'set-cookie': ['a', 'b'],
      folded: 'one two',
      ['__proto__']: 'p',
    });
    expect(reader.headers.constructor).toBeUndefined();
  });

  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2'],
    ['another protocol without a line', '\x15\x03\x01\x00\x02\x02\x28'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
  ])('is none with %s', (_, text) => {
    expect(read(text)[1]).toEqual({ bad: 'not HTTP' });
  });

  test.each([
    ['a header without a name', 'bad header line', ': x\r\n\r\n'],
    ['a header with a blank before the colon (RFC 9112 5.1)', 'bad header line', 'X : y\r\n\r\n'],
    ['a header without a colon', 'bad header line', 'nginx\r\n\r\n'],
    ['a carriage return inside a value', 'bad header line', `X:${' '.repeat(10_000)}\ra\r\n\r\n`],
    ['two lengths', 'bad content-length', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    ['a length that is no number', 'bad content-length', 'Content-Length: +2\r\n\r\nok'],
    ['a chunk without a size', 'bad chunk', 'Transfer-Encoding: chunked\r\n\r\nok\r\n'],
    ['a chunk longer than its size', 'bad chunk', 'Transfer-Encoding: chunked\r\n\r\n1\r\nok\r\n'],
  ])('with %s is bad, and says where', (_, bad, text) => {
    expect(read(`HTTP/1.1 200 OK\r\n${text}`)[1]).toEqual({ bad });
  });

  it('may not have longer headers than the limit, however many lines they are in', () => {
    const long = `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(limits.probeHeadBytes)}`;
    expect(read(long)[1]).toEqual({ bad: 'headers too long' });
    const many = `HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(400)}\r\n`.repeat(50)}`;
    expect(read(many)[1]).toEqual({ bad: 'headers too long' });
  });

  it('may not have more lines than the limit, in headers, interim responses and trailers together', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';
    for (const text of [
      `HTTP/1.1 200 OK\r\n${'a:\n'.repeat(limits.probeHeadLines)}`,
      'HTTP/1.1 100 Continue\r\n\r\n'.repeat(limits.probeHeadLines / 2 + 1),
      `${head}\r\n0\r\n${'a:\n'.repeat(limits.probeHeadLines)}`,
      `${head}${'a:\n'.repeat(limits.probeHeadLines / 2)}\r\n0\r\n${'a:\n'.repeat(limits.probeHeadLines / 2)}`,
    ])
      expect(read(text)[1]).toEqual({ bad: 'too many header lines' });
    expect(read(`${head}${'a:\n'.repeat(limits.probeHeadLines - 4)}\r\n0\r\n\r\n`)[1]).toBe('whole');
  });

  it('may not have more chunks than the limit', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(read(`${head}${'1\r\nx\r\n'.repeat(limits.probeChunks - 1)}0\r\n\r\n`)[1]).toBe('whole');
    expect(read(head + '1\r\nx\r\n'.repeat(limits.probeChunks + 1))[1]).toEqual({ bad: 'too many chunks' });
  });

  it('takes Transfer-Encoding: identity for what it is, none', () => {
    const [reader, progress] = read('HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok');
    expect(progress).toBe('whole');
    expect(reader.body.toString()).toBe('ok');
  });

  it('costs no more than its length, however many blanks a header has', () => {
    const leastMs = (blanks: number): number => {
      const tries = Array.from({ length: 5 }, () => {
        const before = performance.now();
        const [reader] = read(`HTTP/1.1 200 OK\r\nX: a${' '.repeat(blanks)}b\r\nContent-Length: 0\r\n\r\n`);
        expect(reader.headers.x).toHaveLength(blanks + 2);
        return performance.now() - before;
      });
      return Math.min(...tries);
    };
    // Going back and forth over the blanks would take 64 times as long, some 200 ms.
    expect(leastMs(16_000)).toBeLessThan(Math.max(20, 30 * leastMs(2_000)));
  });

  it('may not have longer lines between its chunks than anybody writes', () => {
    const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(300)}\r\nk\r\n0\r\n\r\n`;
    expect(read(text)[1]).toEqual({ bad: 'bad chunk' });
  });

  it('is enough when the first of the body are in, with a length, in chunks and without', () => {
    const body = 'x'.repeat(limits.probeBodyBytes + 1);
    const chunks = `40\r\n${'x'.repeat(64)}\r\n`.repeat(limits.probeBodyBytes / 64 + 1);
    for (const text of [
      `Content-Length: ${body.length}\r\n\r\n${body}`,
      `Transfer-Encoding: chunked\r\n\r\n${chunks}`,
      `\r\n${body}`,
    ]) {
      const [reader, progress] = read(`HTTP/1.1 200 OK\r\n${text}`);
      expect(progress).toBe('whole');
      expect(reader.body.length).toBe(limits.probeBodyBytes);
      expect(reader.reusable).toBe(false);
    }
  });
});

describe('whatever a server sends', () => {
  const word = fc.constantFrom(
    ...['HTTP/1.1 200 OK', 'HTTP/1.1 100 C', '\r\n', '\n', '\r', ' ', ':', 'Content-Length: 3', '0', '5', 'ok'],
    ...['Transfer-Encoding: chunked', 'Connection: close', '\0', '\xff', 'X: y', '\t'],
  );
  it('reading it ends, throws nothing, and does not depend on where it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 30 }),
        fc.array(fc.nat(200), { maxLength: 10 }),
        fc.boolean(),
        (words, cuts, valid) => {
          const text = (valid ? 'HTTP/1.1 200 OK\r\n' : '') + words.join('');
          const one = found(read(text));
          const other = found(read(text, 'GET', cuts));
          // Behind the end of a response more may wait, or not have come yet.
          if (one.progress === 'whole') expect({ ...other, reusable: false }).toEqual({ ...one, reusable: false });
          else expect(other).toEqual(one);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
