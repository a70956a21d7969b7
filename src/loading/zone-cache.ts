// The compiled zones in state/: what didn't change is not parsed again, and a broken file has its last good version.
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { limits } from '../base/limits.ts';
import { readFileHere } from '../base/read-file.ts';
import { STATE_MODE, tighten, writeStable } from '../base/stable-file.ts';
import type { CompiledZone, ZoneMeta } from '../zone/meta.ts';
import { programKey } from './program-key.ts';

const DIGEST_BYTES = 32;

export interface CachedZone {
  readonly key: string;
  readonly compiled: CompiledZone;
  readonly warnings: readonly Diagnostic[];
}

/** The key of a zone's source: everything that its compiled form depends on. */
export function sourceKey(parts: readonly string[]): string {
  const hash = createHash('sha256').update(programKey());
  for (const part of parts) hash.update(`\0${part.length}\0`).update(part);
  return hash.digest('base64url');
}

/**
 * Where a zone's image is kept. A name of 253 characters doesn't fit into a file name with what a temporary file needs beside it: of a long one
 * the hash stands for it.
 */
function fileOf(directory: string, zone: string): string {
  const name = zone === '.' ? 'root' : encodeURIComponent(zone);
  const short = name.length <= limits.zoneFileNameCharacters ? name : `${name.slice(0, 40)}~${hashText(zone)}`;
  return join(directory, 'zones', `${short}.zone`);
}

function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** JSON has no bytes: they travel as text under a key that no record of ours has. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v instanceof Uint8Array ? { $bytes: Buffer.from(v).toString('base64') } : v,
  );
}

function fromJson(text: string): unknown {
  return JSON.parse(text, (_, v: unknown) =>
    typeof v === 'object' && v !== null && '$bytes' in v ? Uint8Array.from(Buffer.from(String(v.$bytes), 'base64')) : v,
  );
}

interface Head {
  readonly format: string;
  readonly key: string;
  readonly meta: ZoneMeta;
  readonly warnings: readonly Diagnostic[];
  readonly imageBytes: number;
}

/**
 * Stores a compiled zone: SHA-256 of the rest, length of the head (32 bits, little endian), head (JSON), image, text of the file. Returns why it
 * couldn't, or null: the zone is served all the same.
 */
export function storeZone(directory: string, zone: string, cached: CachedZone, text: string): string | null {
  const { key, compiled, warnings } = cached;
  const { meta, image } = compiled;
  const head = Buffer.from(
    toJson({ format: programKey(), key, meta, warnings, imageBytes: image.length } satisfies Head),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const parts = [length, head, image, Buffer.from(text)];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  try {
    // What stands in a zone's file, headers of checks for one, is nobody else's to read.
    writeStable(fileOf(directory, zone), Buffer.concat([hash.digest(), ...parts]));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What is kept of a zone: its compiled form, null when another version of the program made it, and the text that it was made of. */
export interface KeptZone {
  readonly cached: CachedZone | null;
  readonly text: string;
}

/** The kept zone, or null: none, or damaged. */
export function loadZone(directory: string, zone: string): KeptZone | null {
  let file: Buffer;
  try {
    file = readFileHere(fileOf(directory, zone), limits.zoneImageBytes);
    // Older versions let everybody read what may hold the headers of checks.
    tighten(fileOf(directory, zone), STATE_MODE);
  } catch {
    return null;
  }
  const body = file.subarray(DIGEST_BYTES);
  if (body.length < 4) return null;
  if (!createHash('sha256').update(body).digest().equals(file.subarray(0, DIGEST_BYTES))) return null;
  const imageAt = 4 + body.readUInt32LE();
  const head = fromJson(body.toString('utf8', 4, imageAt)) as Partial<Head>;
  // An older program kept no text.
  if (head.imageBytes === undefined) return null;
  const textAt = imageAt + head.imageBytes;
  const text = body.toString('utf8', textAt);
  if (head.format !== programKey()) return { cached: null, text };
  const image = new Uint8Array(head.imageBytes);
  image.set(body.subarray(imageAt, textAt));
  const { key, meta, warnings } = head as Head;
  return { cached: { key, compiled: { image, meta }, warnings }, text };
}

/** Best effort: what stays behind is read by nobody, unless a zone of that name and source comes back. */
export function dropZone(directory: string, zone: string): void {
  try {
    rmSync(fileOf(directory, zone), { force: true });
  } catch {
    // The folder can't be written.
  }
}
