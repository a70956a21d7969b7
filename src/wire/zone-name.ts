// A zone's name as people write it: without the final dot, the root as `.`, and as `root` where a dot can't stand.

/** What stands for the root in names of files and in paths of URLs. */
const ROOT = 'root';

/** The name with its final dot: `net.cat` becomes `net.cat.`; `.` and what has one stay as they are. */
export function absoluteName(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

/** The name without its final dot; `.` stays. */
export function withoutFinalDot(text: string): string {
  return text === '.' ? text : text.replace(/\.$/, '');
}

/** A zone's name where a dot alone can't stand, such as before `.yaml` or in a path: `root` for the root. */
export function zoneStem(zone: string): string {
  return zone === '.' ? ROOT : zone;
}

/** The zone that such a name stands for, in lower case. */
export function zoneOfStem(stem: string): string {
  const zone = stem.toLowerCase();
  return zone === ROOT ? '.' : zone;
}
