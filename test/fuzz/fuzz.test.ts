// The fuzzer's short form: what it once found, two hundred thousand requests with a fixed seed, and the real sockets.
import { describe, expect, it } from 'vitest';
import { parse, query } from '../support/dns.ts';
import { judge, Violation } from './judge.mjs';
import { readByDnspython, readByLdns } from './readers.mjs';
import { fuzzRespond, replayCorpus } from './run.mjs';
import { fuzzSocket } from './socket.mjs';

const texts = (found: readonly { what: string; line: string }[]): string =>
  found.map(({ what, line }) => `${what}: ${line}`).join('\n');

describe('the answer path', () => {
  it('answers rightly all that was once found or once had an effect of its own', async () => {
    const { requests, found } = await replayCorpus();
    expect(texts(found)).toBe('');
    expect(requests).toBeGreaterThan(300);
  });

  it('answers anything at all within its room and limit, rightly, and without a throw', async () => {
    const run = await fuzzRespond({ packets: 200_000, seed: 20_260_101, sampleEvery: 10 });
    expect(texts(run.found)).toBe('');
    // Every rcode, truncation and transfers are reached, or this says little.
    expect(Object.keys(run.rcodes)).toEqual(['0', '1', '2', '3', '4', '5', '9', '16']);
    expect(run.kinds).toBeGreaterThan(1000);
    expect(run.truncated).toBeGreaterThan(1000);
    expect(run.messages).toBeGreaterThan(run.transfers);
    for (const bytes of run.sample) parse(bytes);
    expect(readByDnspython(run.sample) ?? []).toEqual([]);
    expect(readByLdns(run.sample.slice(0, 150)) ?? []).toEqual([]);
  });
});

describe('the program', () => {
  it('answers tens of thousands of broken requests over UDP and TCP, in the same memory', async () => {
    const { packets, answers, found, resident } = await fuzzSocket({ udp: 20_000, tcp: 4_000, seed: 20_260_101 });
    expect(texts(found)).toBe('');
    expect(answers).toBeGreaterThan(packets / 2);
    expect(resident.at(-1)! - resident[0]!).toBeLessThan(24e6);
  });
});

describe('the judge', () => {
  // One that is content with everything would find nothing.
  const circumstances = {
    tcp: false,
    udpMax: 1232,
    udpMaxWithoutCookie: 1232,
    cookies: false,
    isValidCookie: () => false,
    limited: false,
  };
  const asked = query({ id: 7, name: 'Www.fuzz.test.', type: 'A' });
  const good = Buffer.concat([
    Buffer.from([0, 7, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]),
    asked.subarray(12),
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]),
  ]);
  const verdict = (change: (bytes: Buffer) => Buffer | undefined): string => {
    const bytes = Buffer.from(good);
    const answer = change(bytes) ?? bytes;
    try {
      judge(asked, asked.length, Buffer.concat([answer, Buffer.alloc(1024)]), answer.length, circumstances);
      return 'right';
    } catch (error) {
      if (error instanceof Violation) return error.message;
      throw error;
    }
  };
  const set = (at: number, value: number) => (bytes: Buffer) => {
    bytes[at] = value;
    return bytes;
  };
  const answerAt = asked.length;

  it('lets a right answer pass', () => {
    expect(verdict((bytes) => bytes)).toBe('right');
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['no answer', () => Buffer.alloc(0)],
    ['another id', set(1, 8)],
    ['QR, opcode or RD are wrong', set(2, 4)],
    ['RA, Z, AD or CD are wrong', set(3, 0x80)],
    ['another question', set(13, 'w'.charCodeAt(0))],
    ['records in a truncated answer', set(2, 0x86)],
    ['rcode 1 to a good request', set(3, 1)],
    ['records with rcode 5', set(3, 5)],
    ['NXDOMAIN without a SOA', set(3, 3)],
    ['an answer for another name', set(answerAt + 1, 16)],
    ['where no label starts', set(answerAt + 1, 14)],
    ['does not lead back', set(answerAt + 1, answerAt)],
    ['an A of 3 octets', set(answerAt + 11, 3)],
    ['data leaves the message', set(answerAt + 11, 5)],
    ['a TTL over 2^31', set(answerAt + 6, 128)],
    ['another class', set(answerAt + 5, 3)],
    ['a record of type 99', set(answerAt + 3, 99)],
    ['octets behind the last record', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
    [
      'octets, with a limit of 512',
      (bytes) => {
        bytes[7] = 40;
        return Buffer.concat([bytes, ...Array.from({ length: 39 }, () => bytes.subarray(answerAt))]);
      },
    ],
    [
      'an OPT to a client without EDNS',
      (bytes) => {
        bytes[11] = 1;
        return Buffer.concat([bytes, Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])]);
      },
    ],
  ])('finds: %s', (what, change) => {
    expect(verdict(change)).toContain(what);
  });
});
