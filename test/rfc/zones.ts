// The zones of the protocol tests: every shape of name and answer that the RFCs speak of, static.
import type { StaticZone } from '../support/static-zone.ts';

/** The main zone. */
export const EXAMPLE: StaticZone = {
  zone: 'example.test.',
  minimum: 60,
  soaTtl: 3600,
  ns: ['ns1.example.test.', 'ns2.example.net.'],
  records: [
    ['@', 'A', '192.0.2.1'],
    ['@', 'AAAA', '2001:db8::1'],
    ['@', 'MX', '10 mail.example.test.'],
    ['@', 'MX', '20 mx.example.org.'],
    ['@', 'TXT', '"v=spf1 -all"'],
    ['ns1', 'A', '192.0.2.53'],
    ['ns1', 'AAAA', '2001:db8::53'],
    ['mail', 'A', '192.0.2.25'],
    ['www', 'A', '192.0.2.80', 120],
    ['www', 'A', '192.0.2.81', 120],
    ['www', 'AAAA', '2001:db8::80'],
    ['UPPER', 'A', '192.0.2.90'],
    ['_sip._tcp', 'SRV', '10 20 5060 www.example.test.'],
    // Empty non-terminals: c.ent, b.c.ent and ent itself own nothing.
    ['a.b.c.ent', 'A', '192.0.2.2'],
    // Wildcards (RFC 4592 2.2.1's example, in this zone).
    ['*.wild', 'TXT', '"this is a wildcard"'],
    ['*.wild', 'A', '192.0.2.3'],
    ['*.wild', 'MX', '10 host1.wild.example.test.'],
    ['host1.wild', 'A', '192.0.2.4'],
    ['_ssh._tcp.host1.wild', 'SRV', '0 0 22 host1.wild.example.test.'],
    ['_ssh._tcp.host2.wild', 'SRV', '0 0 22 host1.wild.example.test.'],
    ['subdel.wild', 'NS', 'ns.example.com.'],
    ['*.alias', 'CNAME', 'www.example.test.'],
    ['*.loopalias', 'CNAME', 'x.loopalias.example.test.'],
    // A wildcard over an empty non-terminal and a name beside it.
    ['*.deep.under', 'A', '192.0.2.5'],
    // CNAME.
    ['c1', 'CNAME', 'c2.example.test.'],
    ['c2', 'CNAME', 'c3.example.test.', 30],
    ['c3', 'CNAME', 'www.example.test.'],
    ['cnodata', 'CNAME', 'mail.example.test.'],
    ['cmissing', 'CNAME', 'missing.example.test.'],
    ['cent', 'CNAME', 'ent.example.test.'],
    ['cwild', 'CNAME', 'anything.wild.example.test.'],
    ['cwildalias', 'CNAME', 'anything.alias.example.test.'],
    ['cout', 'CNAME', 'www.elsewhere.invalid.'],
    ['ccut', 'CNAME', 'host.sub.example.test.'],
    ['cother', 'CNAME', 'www.other.test.'],
    ['cothermissing', 'CNAME', 'missing.deep.other.test.'],
    ['cchild', 'CNAME', 'www.child.example.test.'],
    ['cself', 'CNAME', 'cself.example.test.'],
    ['loop1', 'CNAME', 'loop2.example.test.'],
    ['loop2', 'CNAME', 'loop3.example.test.'],
    ['loop3', 'CNAME', 'loop1.example.test.'],
    ['intoloop', 'CNAME', 'loop1.example.test.'],
    // Delegations: glue inside, glue beside, no glue, and a child that is served here too.
    ['sub', 'NS', 'ns.sub.example.test.'],
    ['sub', 'NS', 'ns2.sub.example.test.'],
    ['sub', 'DS', '12345 13 2 4444444444444444444444444444444444444444444444444444444444444444'],
    ['ns.sub', 'A', '192.0.2.77'],
    ['ns.sub', 'AAAA', '2001:db8::77'],
    ['ns2.sub', 'A', '192.0.2.78'],
    ['occluded.sub', 'A', '192.0.2.66'],
    ['*.occluded2.sub', 'A', '192.0.2.67'],
    ['sibling', 'NS', 'ns.sub.example.test.'],
    ['sibling', 'NS', 'ns1.example.test.'],
    ['foreign', 'NS', 'ns.example.com.'],
    ['foreign', 'NS', 'ns.example.org.'],
    ['deep.del.egated', 'NS', 'ns.example.com.'],
    ['child', 'NS', 'ns1.example.test.'],
    // Types of every kind.
    ['types', 'CAA', '0 issue "ca.example.net"'],
    ['types', 'HINFO', '"PC" "Linux"'],
    ['types', 'PTR', 'www.example.test.'],
    ['types', 'NAPTR', '100 10 "S" "SIP+D2U" "" _sip._tcp.example.test.'],
    ['types', 'TLSA', '3 1 1 0000000000000000000000000000000000000000000000000000000000000000'],
    ['types', 'SSHFP', '4 2 0000000000000000000000000000000000000000000000000000000000000000'],
    ['types', 'TYPE65280', '\\# 4 0a000001'],
  ],
};

/** A child of it, served by the same server: the parent's side of the cut is `child` above. */
export const CHILD: StaticZone = {
  zone: 'child.example.test.',
  minimum: 30,
  ns: ['ns1.example.test.'],
  records: [
    ['@', 'A', '192.0.2.101'],
    ['www', 'A', '192.0.2.102'],
    ['up', 'CNAME', 'www.example.test.'],
    ['*.w', 'CNAME', 'c1.example.test.'],
  ],
};

/** Another zone: a wildcard at its apex, chains into the first. */
export const OTHER: StaticZone = {
  zone: 'other.test.',
  minimum: 7200,
  soaTtl: 600,
  ns: ['ns1.example.test.'],
  records: [
    ['www', 'A', '198.51.100.1'],
    ['back', 'CNAME', 'c1.example.test.'],
    ['backmissing', 'CNAME', 'missing.example.test.'],
    ['pingpong', 'CNAME', 'pongping.example.test.'],
    ['deep', 'TXT', '"a name that hides the wildcard"'],
    ['*', 'A', '198.51.100.2'],
    ['*', 'TXT', '"any name"'],
  ],
};

/** A root zone with a delegation and with a name of its own. */
export const ROOT: StaticZone = {
  zone: '.',
  ns: ['a.root-servers.test.'],
  records: [
    ['a.root-servers.test.', 'A', '192.0.2.4'],
    ['example.', 'NS', 'ns.example.'],
    ['ns.example.', 'A', '192.0.2.44'],
    ['info.', 'TXT', '"a name of the root itself"'],
    ['alias.', 'CNAME', 'www.example.test.'],
  ],
};
