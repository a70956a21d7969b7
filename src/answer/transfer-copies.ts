// Copies of zones for the time of a transfer: what stands in the store may go while a slow client reads.
import { chunkOf, type SegmentRef, type StoreReader, wordOf } from '../board/store.ts';
import { ZoneView } from '../zone/find.ts';
import { HEADER } from '../zone/layout.ts';

export interface ZoneCopy {
  readonly zone: ZoneView;
  readonly bytes: number;
  readonly key: string;
  users: number;
}

export class ZoneCopies {
  readonly #copies = new Map<string, ZoneCopy>();
  /** Bytes of all copies. */
  bytes = 0;

  /**
   * A copy of a zone's image, shared by all who ask for it while the same directory is current.
   * @param reader holds that directory
   */
  take(reader: StoreReader, image: SegmentRef, generation: number): ZoneCopy {
    const key = `${generation} ${image}`;
    const known = this.#copies.get(key);
    if (known !== undefined) {
      known.users++;
      return known;
    }
    const words = reader.words[chunkOf(image)]!;
    const at = wordOf(image);
    const copied = words.slice(at, at + words[at + HEADER.words]!);
    const zone = new ZoneView();
    zone.attach(copied, new Uint8Array(copied.buffer), 0);
    const copy: ZoneCopy = { zone, bytes: copied.byteLength, key, users: 1 };
    this.#copies.set(key, copy);
    this.bytes += copy.bytes;
    return copy;
  }

  giveBack(copy: ZoneCopy): void {
    copy.users--;
    if (copy.users > 0) return;
    this.#copies.delete(copy.key);
    this.bytes -= copy.bytes;
  }
}
