// Fetches the parts of one database and holds them to their checksums, or finds that nothing is newer.
import { limits } from '../base/limits.ts';
import { digestOf, readChecksum } from './checksum.ts';
import { type Downloader, shown } from './download.ts';
import type { PartVersion } from './history.ts';
import { ContentError, type Order, type Part } from './source.ts';

export interface FetchedOrder {
  /** Of each part, in their order. */
  readonly bytes: readonly Buffer[];
  readonly versions: PartVersion[];
}

/**
 * Fetches the newest alternative that the publisher has. `known` is what was fetched last: where all of it is still the newest, nothing
 * is fetched. Rejects with DownloadError or ContentError.
 */
export async function fetchOrder(
  order: Order,
  known: readonly PartVersion[],
  downloader: Downloader,
  authorization: string | null,
): Promise<FetchedOrder | 'unchanged'> {
  for (const parts of order.alternatives) {
    const fetched = await new PartsFetch(parts, known, downloader, authorization).fetch();
    if (fetched !== 'missing') return fetched;
  }
  throw new ContentError(
    `the publisher has no ${order.alternatives
      .flat()
      .map(({ url }) => shown(url))
      .join(' nor ')}`,
  );
}

class PartsFetch {
  readonly #parts: readonly Part[];
  readonly #known: ReadonlyMap<string, PartVersion>;
  readonly #downloader: Downloader;
  readonly #authorization: string | null;

  constructor(
    parts: readonly Part[],
    known: readonly PartVersion[],
    downloader: Downloader,
    authorization: string | null,
  ) {
    this.#parts = parts;
    this.#known = new Map(known.map((version) => [version.url, version]));
    this.#downloader = downloader;
    this.#authorization = authorization;
  }

  async fetch(): Promise<FetchedOrder | 'unchanged' | 'missing'> {
    if (await this.#isKnownByChecksum()) return 'unchanged';
    const bytes: Buffer[] = [];
    const versions: PartVersion[] = [];
    for (const part of this.#parts) {
      const fetched = await this.#part(part);
      if (fetched === 'missing' || fetched === 'unchanged') return fetched;
      bytes.push(fetched.bytes);
      versions.push(fetched.version);
    }
    return { bytes, versions };
  }

  /** A few octets tell what else a whole download would. */
  async #isKnownByChecksum(): Promise<boolean> {
    for (const part of this.#parts) {
      const version = this.#known.get(part.url);
      if (part.checksum === null || (version?.checksum ?? null) === null) return false;
      if ((await this.#checksum(part.checksum)) !== version!.checksum) return false;
    }
    return true;
  }

  async #part({ url, checksum }: Part): Promise<{ bytes: Buffer; version: PartVersion } | 'unchanged' | 'missing'> {
    for (let tries: number = limits.geoChecksumTries; ; tries--) {
      const expected = checksum === null ? null : await this.#checksum(checksum);
      const known = this.#parts.length === 1 ? (this.#known.get(url) ?? null) : null;
      const fetched = await this.#downloader.fetch({
        url,
        maxBytes: limits.geoDownloadBytes,
        authorization: this.#authorization,
        // With another checksum it is another file, whatever the validators say.
        known: checksum === null ? known : null,
      });
      if (fetched === 'unchanged' || fetched === 'missing') return fetched;
      const { bytes, etag, lastModified } = fetched;
      if (checksum === null || digestOf(bytes, checksum.algorithm) === expected)
        return { bytes, version: { url, etag, lastModified, checksum: expected } };
      if (tries === 1) throw new ContentError(`${shown(url)} doesn't fit its checksum (${checksum.algorithm})`);
    }
  }

  async #checksum({ url, algorithm }: NonNullable<Part['checksum']>): Promise<string> {
    const fetched = await this.#downloader.fetch({
      url,
      maxBytes: limits.geoChecksumBytes,
      authorization: this.#authorization,
      known: null,
    });
    if (fetched === 'missing' || fetched === 'unchanged')
      throw new ContentError(`there is no checksum at ${shown(url)}, and nothing is taken without one`);
    const digest = readChecksum(fetched.bytes.toString('latin1'), algorithm);
    if (digest === undefined) throw new ContentError(`${shown(url)} holds no ${algorithm} checksum`);
    return digest;
  }
}
