// The names of zone files: which zone a file is for, and what the file of a zone is called.
import { zoneOfStem, zoneStem } from '../wire/zone-name.ts';

export const COMMON_FILE = '_common.yaml';

const ENDING = '.yaml';

/**
 * The zone that a file name stands for, or null: `net.cat.yaml` is net.cat, root.yaml the root, `0%2F25.2.0.192.in-addr.arpa.yaml` the zone of
 * RFC 2317 with a slash in its name. `_common.yaml` and hidden files are none.
 */
export function zoneOfFile(name: string): string | null {
  if (!name.endsWith(ENDING) || name === COMMON_FILE || name.startsWith('.')) return null;
  return zoneOfStem(name.slice(0, -ENDING.length).replaceAll(/%2f/gi, '/'));
}

/** The name of a zone's file. */
export function fileOfZone(zone: string): string {
  return `${zoneStem(zone).replaceAll('/', '%2F')}${ENDING}`;
}
