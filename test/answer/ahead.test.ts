// Requests that are read ahead in groups get the answers that each would get alone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../dist/base/address.js';
import { limits } from '../../dist/base/limits.js';
import { ecs, query } from '../support/dns.ts';
import { Plane } from '../support/plane.ts';

const PARENT = `version: meridian/v1
zone: net.cat
ns: [ns1.net.cat.]
pools:
  moscow: { at: [55.75, 37.62], members: [192.0.2.1, "2001:db8::1"] }
  rio: { at: [-22.9, -43.2], members: [192.0.2.2] }
records:
  "@": { ADDR: { regions: { RU: moscow, 2.2.0.0/16: rio, default: { closest: [rio, moscow] } } } }
  ns1: { A: 192.0.2.53 }
  www: { CNAME: "@" }
  far: { CNAME: api.sub.net.cat. }
  sub: { NS: [ns1.net.cat.] }
  "*.user": { A: { pools: [rio] } }
`;
const CHILD = `version: meridian/v1
zone: sub.net.cat
ns: [ns1.net.cat.]
pools: { one: { members: [192.0.2.9] } }
records:
  api: { A: { pools: [one] } }
`;

const names = ['', 'www.', 'far.', 'x.user.', 'nope.', 'sub.', 'api.sub.', 'x.sub.', 'ns1.'].map((n) => `${n}net.cat.`);
const subnets = ['1.2.3.0/24', '2.2.2.0/24', '2.9.0.0/16', '0.0.0.0/0', '2a00::/20', '2001:db8::/56'];
const senders = ['127.0.0.1', '1.1.1.1', '3.3.3.3', '2600::1'];

const aRequest = fc.record({
  bytes: fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .tuple(
          fc.constantFrom(...names, 'other.example.', '.'),
          fc.constantFrom('A', 'AAAA', 'DS', 'NS', 'ANY', 'AXFR'),
        )
        .chain(([name, type]) =>
          fc
            .option(fc.constantFrom(...subnets))
            .map((subnet) =>
              query({ name, type, ...(subnet === null ? {} : { edns: { udpSize: 1232, options: [ecs(subnet)] } }) }),
            ),
        ),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  ),
  from: fc.constantFrom(...senders),
});

const ROOM = 4096;

/** Answers requests as a data thread does: read all, look ahead, answer each. */
function together({ answerer }: Plane, requests: readonly { bytes: Buffer; from: string }[]): (Buffer | null)[] {
  const bytes = new Uint8Array(requests.length * ROOM);
  const fill = (from: string): void => {
    const address = parseAddress(from)!;
    const view = new DataView(address.bytes.buffer);
    const [w0, w1, w2, w3] = [0, 4, 8, 12].map((at) => (at < address.bytes.length ? view.getInt32(at) : 0));
    Object.assign(answerer.peer, { family: address.family, w0, w1, w2, w3 });
  };
  answerer.beginBatch();
  for (const [i, request] of requests.entries()) {
    bytes.set(request.bytes, i * ROOM);
    fill(request.from);
    answerer.readNext(i, bytes, i * ROOM, request.bytes.length);
  }
  answerer.lookAhead();
  const answers = requests.map((request, i) => {
    fill(request.from);
    const length = answerer.answer(i, bytes, i * ROOM, ROOM, 0);
    return length <= 0 ? null : Buffer.from(bytes.subarray(i * ROOM, i * ROOM + length));
  });
  answerer.endBatch();
  return answers;
}

describe('a group of requests', () => {
  it('gets the answers, bit for bit, that each of them gets alone', () => {
    const plane = new Plane([PARENT, CHILD]);
    fc.assert(
      fc.property(fc.array(aRequest, { minLength: 1, maxLength: limits.udpAhead }), (requests) => {
        expect(together(plane, requests)).toEqual(requests.map(({ bytes, from }) => plane.exchange(bytes, from)));
      }),
      { numRuns: 1000 },
    );
  });

  it('is answered with SERVFAIL where its zone has no good version, and looks at nothing there', () => {
    const plane = new Plane([CHILD]);
    const asked = query({ name: 'api.sub.net.cat.', type: 'A' });
    plane.images.publish([{ apex: Buffer.from('\x03sub\x03net\x03cat\0'), image: null, number: 0, mapKeys: [] }]);
    const answers = together(
      plane,
      [asked, asked].map((bytes) => ({ bytes, from: '127.0.0.1' })),
    );
    for (const answer of answers) expect(answer![3]! & 15).toBe(2);
  });
});
