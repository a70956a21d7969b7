// The name of an owner in `records`: below the zone, and what is doubtful about it.
import type { ScalarNode } from '../base/document.ts';
import { isAtOrBelow, nameToText, parseName, wildcardIsRight } from '../wire/name.ts';
import type { Scope } from './scope.ts';

/** The owner's name in wire form, in the case that was written; undefined after a report. */
export function readOwnerName(
  { document, apex }: Scope & { readonly apex: Uint8Array },
  key: ScalarNode,
): Uint8Array | undefined {
  const result = parseName(key.text, apex);
  if (!result.ok) {
    document.report('bad-name', key, result.reason, 'write a name such as www, @ or *.user');
    return undefined;
  }
  const { wire } = result;
  const zone = nameToText(apex);
  if (!isAtOrBelow(wire, apex)) {
    const fix = `move it into the file of its own zone, or write it without the final dot to mean ${key.text}${zone}`;
    document.report('name-outside-zone', key, `${key.text} is not in the zone ${zone}`, fix);
    return undefined;
  }
  if (!wildcardIsRight(wire)) {
    const fix = 'write * as the whole first label, such as "*.user"';
    const message = `a * in ${key.text} is no wildcard: it stands for itself only`;
    document.report('wildcard-position', key, message, fix);
  }
  // `www.net.cat` in the zone net.cat means www.net.cat.net.cat.
  const relative = !key.text.endsWith('.') && apex.length > 1;
  if (
    relative &&
    `${key.text.toLowerCase()}.`.endsWith(`.${zone.toLowerCase()}`) &&
    zone.indexOf('.') < zone.length - 1
  ) {
    const fix = `write "${key.text}." if you mean that name`;
    document.report('doubled-zone', key, `${key.text} means ${key.text}.${zone}`, fix);
  }
  return wire;
}
