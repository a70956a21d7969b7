// One list of records, written both as a zone file of ours and as a master file for other servers.

export interface StaticZone {
  /** With its final dot. */
  readonly zone: string;
  readonly ttl?: number;
  readonly minimum?: number;
  readonly soaTtl?: number;
  readonly ns: readonly string[];
  /** Owner relative to the zone (`@` is its apex), type, value as a master file has it with absolute names, TTL. */
  readonly records: readonly (readonly [owner: string, type: string, value: string, ttl?: number])[];
}

const SERIAL = 2026010101;

/** The zone file's content, as an object: JSON is YAML. */
export function asZoneFile(zone: StaticZone): object {
  const records: Record<string, Record<string, unknown>> = {};
  for (const [owner, type, value, ttl] of zone.records) {
    records[owner] ??= {};
    const known = records[owner][type] as { ttl: number; values: string[] } | undefined;
    if (known) known.values.push(value);
    else records[owner][type] = { ttl: ttl ?? zone.ttl ?? 300, values: [value] };
  }
  return {
    version: 'meridian/v1',
    zone: zone.zone === '.' ? '.' : zone.zone.slice(0, -1),
    ttl: zone.ttl ?? 300,
    soa: {
      mname: zone.ns[0],
      rname: 'hostmaster.example.',
      serial: SERIAL,
      refresh: 7200,
      retry: 900,
      expire: 1209600,
      minimum: zone.minimum ?? 60,
      ttl: zone.soaTtl ?? 3600,
    },
    ns: zone.ns,
    records,
  };
}

/** The same as a master file. */
export function asMasterFile(zone: StaticZone): string {
  const lines = [
    `$ORIGIN ${zone.zone}`,
    `$TTL ${zone.ttl ?? 300}`,
    `@ ${zone.soaTtl ?? 3600} IN SOA ${zone.ns[0]} hostmaster.example. ${SERIAL} 7200 900 1209600 ${zone.minimum ?? 60}`,
    ...zone.ns.map((name) => `@ IN NS ${name}`),
    ...zone.records.map(([owner, type, value, ttl]) => `${owner} ${ttl ?? zone.ttl ?? 300} IN ${type} ${value}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The path of its file below a server's folder. */
export function zonePath(zone: StaticZone): string {
  return `zones/${zone.zone === '.' ? 'root' : zone.zone.slice(0, -1)}.yaml`;
}

/** `files` for `startServer`. */
export function zoneFiles(zones: readonly StaticZone[]): Record<string, object> {
  return Object.fromEntries(zones.map((zone) => [zonePath(zone), asZoneFile(zone)]));
}
