// Checks as a zone file would give them, with only what a test cares about spelled out.
import type {
  Check,
  CombinedCheck,
  DnsCheck,
  HttpCheck,
  Pattern,
  Probe,
  TcpCheck,
  UdpCheck,
} from '../../dist/zone/model.js';

/** Any text will do; asked for, it stands in the evidence. */
const anyText: Pattern = { kind: 'bytes', bytes: new Uint8Array(0) };

export function httpCheck(port: number, more: Partial<HttpCheck> = {}): HttpCheck {
  return {
    kind: 'http',
    tls: false,
    port,
    method: 'GET',
    path: '/',
    host: null,
    sni: null,
    headers: {},
    expectStatus: [[200, 299]],
    expectBody: anyText,
    verify: true,
    caFile: null,
    minDays: null,
    version: '1.1',
    reuse: false,
    load: null,
    ...more,
  };
}

export function tcpCheck(port: number, more: Partial<TcpCheck> = {}): TcpCheck {
  return { kind: 'tcp', port, tls: false, sni: null, verify: true, caFile: null, send: null, expect: null, ...more };
}

export function udpCheck(port: number, more: Partial<UdpCheck> = {}): UdpCheck {
  return { kind: 'udp', port, send: Buffer.from('ping'), expect: null, ...more };
}

export function dnsCheck(port: number, more: Partial<DnsCheck> = {}): DnsCheck {
  return {
    kind: 'dns',
    port,
    transport: 'udp',
    name: 'example.org.',
    type: 'A',
    expectRcode: 'NOERROR',
    expectValue: null,
    ...more,
  };
}

/** A whole check with the defaults of a zone file. */
export function check(probe: Probe | CombinedCheck, more: Partial<Check> = {}): Check {
  return {
    name: probe.kind,
    probe,
    intervalMs: 10_000,
    timeoutMs: 2_000,
    fall: 3,
    rise: 2,
    fastRecheck: true,
    ...more,
  };
}
