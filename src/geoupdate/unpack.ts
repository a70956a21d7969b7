// From what was fetched to an MMDB file: as it is, gzipped, or in a gzipped tar archive; the bytes tell which.
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import { limits } from '../base/limits.ts';
import { ContentError } from './source.ts';

const unzip = promisify(gunzip);

/** Offset of the word "ustar" in the first header of an archive (POSIX.1). */
const TAR_MAGIC_AT = 257;

/**
 * The database in these bytes. Of several in one archive the one called `file` counts. Rejects with ContentError for what is cut,
 * damaged or larger than the limit; whether the result is a database, who opens it sees.
 */
export async function unpackDatabase(
  bytes: Buffer,
  file: string,
  maxBytes: number = limits.geoDatabaseBytes,
): Promise<Buffer> {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? await unzipped(bytes, maxBytes) : bytes;
  return plain.toString('latin1', TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === 'ustar' ? fromArchive(plain, file) : plain;
}

async function unzipped(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await unzip(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new ContentError(`unpacked it is larger than ${maxBytes} bytes`);
    throw new ContentError(code === 'Z_BUF_ERROR' ? 'the gzip file is cut' : `the gzip file is damaged: ${message}`);
  }
}

async function fromArchive(archive: Buffer, file: string): Promise<Buffer> {
  const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  const entries = await unpackTar(archive, {
    strict: true,
    filter: ({ name, type }) => (type ?? 'file') === 'file' && /^[^.].*\.mmdb$/.test(base(name)),
  }).catch((error: Error) => {
    throw new ContentError(`the archive is damaged: ${error.message}`);
  });
  const entry = entries.find(({ header }) => base(header.name) === file) ?? entries[0];
  if (entry?.data === undefined) throw new ContentError('there is no .mmdb file in the archive');
  if (entries.length > 1 && base(entry.header.name) !== file) {
    const names = entries.map(({ header }) => base(header.name)).join(', ');
    throw new ContentError(`there are several databases in the archive, and none is ${file}: ${names}`);
  }
  return Buffer.from(entry.data.buffer, entry.data.byteOffset, entry.data.byteLength);
}
