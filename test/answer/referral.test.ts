// Glue of referrals that goes into the message in part only (RFC 9471).
import { describe, expect, it } from 'vitest';
import { Plane } from '../support/plane.ts';

const glue = (n: number, of: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => of(i + 1)).join(', ');

/** A zone whose `sub` is delegated to `ns.sub`, which has so many addresses. */
function zone(four: number, six: number): string {
  const addresses = `A: [${glue(four, (i) => `192.0.2.${i}`)}], AAAA: [${glue(six, (i) => `"2001:db8::${i.toString(16)}"`)}]`;
  return `zone: example.test
ns: [ns.example.net.]
records:
  sub: { NS: [ns.sub.example.test.] }
  ns.sub: { ${addresses} }
  side: { NS: [ns.host.example.test.] }
  ns.host: { ${addresses} }
`;
}

const ask = (plane: Plane, name: string, tcp = false) => plane.ask(name, 'A', { udpSize: null, tcp });
const glued = ({ additionals }: ReturnType<typeof ask>): string[] => [...new Set(additionals.map(({ type }) => type))];

describe('a referral', () => {
  it('has TC where only its IPv4 glue fits, or only its IPv6 glue, and is whole over TCP', () => {
    for (const [four, six] of [
      [2, 30],
      [40, 2],
      [40, 30],
    ] as const) {
      const plane = new Plane([zone(four, six)]);
      const reply = ask(plane, 'www.sub.example.test.');
      expect([reply.tc, reply.bytes.length <= 512]).toEqual([true, true]);
      const whole = ask(plane, 'www.sub.example.test.', true);
      expect([whole.tc, glued(whole)]).toEqual([false, ['A', 'AAAA']]);
    }
  });

  it('has no TC where all of its glue fits', () => {
    const reply = ask(new Plane([zone(2, 2)]), 'www.sub.example.test.');
    expect([reply.tc, glued(reply)]).toEqual([false, ['A', 'AAAA']]);
  });

  it('has no TC for addresses that a resolver can ask for: those of a server outside of the delegation', () => {
    const reply = ask(new Plane([zone(2, 30)]), 'www.side.example.test.');
    expect([reply.tc, glued(reply)]).toEqual([false, ['A']]);
  });
});
