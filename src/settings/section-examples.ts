// An example of each map in the settings, for whoever wrote something else there.

/** By key; a test holds each to what is read. */
export const SECTION_EXAMPLES: Readonly<Record<string, string>> = {
  admin: '{ listen: "127.0.0.1:8053" }',
  geoip: '{ directory: geoip }',
  udp: '{ max-size: 1232 }',
  tcp: '{ idle-timeout: 10s }',
  cookies: '{ secret-file: state/cookie.key }',
  'rate-limit': '{ responses-per-second: 200 }',
  identity: '{ nsid: ns1 }',
  health: '{ max-concurrent: 500 }',
  log: '{ level: info }',
};
