// Settings that the environment gives, over those of the file: MERIDIAN_LISTEN and its like, each checked as the file's keys are.
import { resolve } from 'node:path';
import { type Document, type MapNode, type Node, readDocument } from '../base/document.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a variable stands for, as the file would have it. */
const VARIABLES: Readonly<Record<string, (value: string) => object>> = {
  MERIDIAN_LISTEN: (value) => ({ listen: value.split(/[\s,]+/).filter((address) => address !== '') }),
  MERIDIAN_ADMIN_LISTEN: (value) => ({ admin: { listen: value } }),
  // From the folder where the command was typed, unlike the file's, which start from the file.
  MERIDIAN_ZONES: (value) => ({ zones: resolve(value) }),
  MERIDIAN_STATE: (value) => ({ state: resolve(value) }),
  MERIDIAN_LOG_LEVEL: (value) => ({ log: { level: value } }),
};

export interface EnvironmentPart {
  /** Named as the variable: mistakes are reported there. */
  readonly document: Document;
  readonly map: MapNode;
}

/** The variables that are set, each as a small file of settings; an empty one counts as not set. */
export function readEnvironment(environment: Environment): EnvironmentPart[] {
  return Object.entries(VARIABLES).flatMap(([name, settingsOf]) => {
    const value = environment[name];
    if (value === undefined || value.trim() === '') return [];
    const document = readDocument(name, JSON.stringify(settingsOf(value.trim())));
    return document.root?.kind === 'map' ? [{ document, map: document.root }] : [];
  });
}

/** A map with the keys of another over its own, maps within it likewise. */
export function overlaid(map: MapNode, over: MapNode): MapNode {
  const entries = new Map(map.entries);
  for (const [name, { key, value }] of over.entries) {
    const before = entries.get(name)?.value;
    const merged = before?.kind === 'map' && value.kind === 'map' ? overlaid(before, value) : placeless(value);
    entries.set(name, { key: entries.get(name)?.key ?? { ...key, offset: 0 }, value: merged });
  }
  return { ...map, entries };
}

/** What isn't in the file stands at its beginning, where something is to be said of it there. */
function placeless(node: Node): Node {
  if (node.kind === 'map') {
    const entries = [...node.entries].map(([name, { key, value }]) => {
      return [name, { key: { ...key, offset: 0 }, value: placeless(value) }] as const;
    });
    return { ...node, offset: 0, entries: new Map(entries) };
  }
  return node.kind === 'list' ? { ...node, offset: 0, items: node.items.map(placeless) } : { ...node, offset: 0 };
}
