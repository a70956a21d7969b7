// The tree of a YAML text: scalars as text, lists and maps, each with its offset.

/** A scalar: its text after unquoting. `offset` counts UTF-16 units from the start of the file. */
export interface ScalarNode {
  readonly kind: 'scalar';
  readonly text: string;
  /** Written in quotes or as a block (`|`, `>`). */
  readonly quoted: boolean;
  readonly offset: number;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  /** Written as `[a, b]`, where an unquoted comma ends an element. */
  readonly flow: boolean;
  readonly offset: number;
}

export interface Entry {
  readonly key: ScalarNode;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: 'map';
  /** In the file's order; a Map, so that `__proto__` is a key like any other. */
  readonly entries: ReadonlyMap<string, Entry>;
  readonly offset: number;
  /** Keys were left out for mistakes that are reported: a missing one may be among them. */
  readonly incomplete?: boolean;
}

/** Something was written here, but a mistake in it is reported already: whoever reads it says nothing more. */
export interface BrokenNode {
  readonly kind: 'broken';
  readonly offset: number;
}

/** An alias gives the very node of its anchor, so the tree may share nodes; it has no cycles. */
export type Node = ScalarNode | ListNode | MapNode | BrokenNode;
