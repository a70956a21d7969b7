// Examples for whoever wrote something else where a map belongs, made of what was written where that tells.
import { parseAddress } from '../base/address.ts';
import type { Node } from '../base/document.ts';

/** A pool with the members that were written in its place. */
export function poolExample(node: Node): string {
  const items = node.kind === 'list' ? node.items : [node];
  const texts = items.flatMap((item) => (item.kind === 'scalar' && parseAddress(item.text) ? [item.text] : []));
  if (texts.length === 0 || texts.length < items.length) return '{ members: [192.0.2.1] }';
  const quoted = texts.slice(0, 3).map((text) => (text.includes(':') ? `"${text}"` : text));
  return `{ members: [${quoted.join(', ')}${texts.length > quoted.length ? ', ...' : ''}] }`;
}

/** A map of types with the value that stands in its place, where that has a type of its own. */
export function recordsExample(node: Node): string {
  if (node.kind !== 'scalar') return '{ A: 192.0.2.1 }';
  const address = parseAddress(node.text);
  if (address !== undefined) return address.family === 6 ? `{ AAAA: "${node.text}" }` : `{ A: ${node.text} }`;
  return /^[^\s:]+\.$/.test(node.text) ? `{ CNAME: ${node.text} }` : '{ A: 192.0.2.1 }';
}
