// Walks an encoded list of pools group by group, each in the client's order: the one reader of that part of the layout.
import { TIER_START } from '../regionmap/layout.ts';
import { ELEMENT, type ElementKind, LIST_COUNT_MASK, LIST_STICKY } from './layout.ts';

/** One for each walker; reused, since it walks on the answer path. */
export class ListCursor {
  /** Of the group that `next` went to: its kind and how many pools it has. */
  kind: ElementKind = ELEMENT.pool;
  count = 0;
  #words: Int32Array = new Int32Array(0);
  #order: Int32Array = new Int32Array(0);
  #list = 0;
  #at = 0;
  #left = 0;
  #pools = 0;
  #stride = 1;
  #entries = 0;

  /**
   * Stands before the first group of a list.
   * @param list its word in `words`
   * @param order where the client stands in its region map: the entries of the list's `closest` groups begin at `entries`. Any array
   * where the list has none.
   */
  open(words: Int32Array, list: number, order: Int32Array, entries: number): void {
    this.#words = words;
    this.#order = order;
    this.#list = list;
    this.#at = list + 1;
    this.#left = words[list]! & LIST_COUNT_MASK;
    this.#entries = entries;
    this.kind = ELEMENT.pool;
    this.count = 0;
  }

  /** `default: nodata`. */
  get isEmpty(): boolean {
    return (this.#words[this.#list]! & LIST_COUNT_MASK) === 0;
  }

  /** Whether one of the list's pools picks `sticky`. */
  get isSticky(): boolean {
    return (this.#words[this.#list]! & LIST_STICKY) !== 0;
  }

  /** Goes to the next group. Returns false behind the last. */
  next(): boolean {
    if (this.kind === ELEMENT.closest) this.#entries += this.count;
    if (this.#left-- === 0) return false;
    const words = this.#words;
    const at = this.#at;
    const kind = words[at] as ElementKind;
    this.kind = kind;
    switch (kind) {
      case ELEMENT.pool:
        this.count = 1;
        this.#pools = at + 1;
        this.#stride = 1;
        break;
      case ELEMENT.closest:
        this.count = words[at + 2]!;
        this.#pools = at + 3;
        this.#stride = 1;
        break;
      case ELEMENT.weighted:
        this.count = words[at + 1]!;
        this.#pools = at + 2;
        this.#stride = 2;
        break;
      default:
        kind satisfies never;
    }
    this.#at = this.#pools + this.count * this.#stride;
    return true;
  }

  /** Word of the `k`th pool's block: of a `closest` in the order of distance, else in the list's. */
  pool(k: number): number {
    const i = this.kind === ELEMENT.closest ? this.#order[this.#entries + k]! & (TIER_START - 1) : k * this.#stride;
    return this.#words[this.#pools + i]!;
  }

  /** The share of the `k`th pool of a `weighted`. */
  weight(k: number): number {
    return this.#words[this.#pools + k * 2 + 1]!;
  }

  /** Whether the `k`th pool of a `closest` is farther away than those before it, by more than a near-tie. */
  startsTier(k: number): boolean {
    return (this.#order[this.#entries + k]! & TIER_START) !== 0;
  }
}
