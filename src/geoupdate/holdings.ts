// Who holds which addresses, collected in any order in few octets each, then laid out as ranges.
import { RangeTable } from '../geo/ranges.ts';

/**
 * Holdings of one family. A place in the space is two words of 32 bits: an IPv4 address and zero, or the upper half of an IPv6
 * address. Half a million holdings as objects would take half a gigabyte.
 */
export class Holdings {
  readonly #words: 1 | 4;
  #count = 0;
  /** First and last place of each, and its value: five words. */
  #rows = new Uint32Array(5 * 1024);

  constructor(words: 1 | 4) {
    this.#words = words;
  }

  /** @param value above 0; the last place belongs to it */
  add(first0: number, first1: number, last0: number, last1: number, value: number): void {
    const at = this.#count * 5;
    if (at === this.#rows.length) {
      const larger = new Uint32Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rows[at] = first0;
    this.#rows[at + 1] = first1;
    this.#rows[at + 2] = last0;
    this.#rows[at + 3] = last1;
    this.#rows[at + 4] = value;
    this.#count++;
  }

  /** Values by range, 0 where nobody holds anything. Where holdings overlap the inner one counts, of equal ones the first. */
  table(): RangeTable {
    const rows = this.#rows;
    const compare = (a: number, b: number): number => rows[a]! - rows[b]! || rows[a + 1]! - rows[b + 1]!;
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i * 5).sort(
      (a, b) => compare(a, b) || -compare(a + 2, b + 2) || b - a,
    );
    const out = new RangeTable(this.#words, this.#count * 2 + 1);
    out.append(0, 0, 0, 0, 0);
    // Holdings that reach further than the place that was come to, the innermost last.
    const open: number[] = [];
    const closeBefore = (row: number | null): void => {
      for (let top = open.at(-1); top !== undefined && (row === null || compare(top + 2, row) < 0); top = open.at(-1)) {
        while (open.length > 0 && compare(open.at(-1)! + 2, top + 2) <= 0) open.pop();
        this.#appendAfter(out, top, open.length === 0 ? 0 : rows[open.at(-1)! + 4]!);
      }
    };
    for (const row of order) {
      closeBefore(row);
      open.push(row);
      out.append(rows[row]!, rows[row + 1]!, 0, 0, rows[row + 4]!);
    }
    closeBefore(null);
    return out;
  }

  /** The value behind a holding's last place; nothing is behind the end of the space. */
  #appendAfter(out: RangeTable, row: number, value: number): void {
    const last0 = this.#rows[row + 2]!;
    const last1 = this.#rows[row + 3]!;
    const carries = this.#words === 1 || last1 === 0xffff_ffff;
    if (!carries) out.append(last0, last1 + 1, 0, 0, value);
    else if (last0 !== 0xffff_ffff) out.append(last0 + 1, 0, 0, 0, value);
  }
}
