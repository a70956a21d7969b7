// The compiled zones in state/: what didn't change is not parsed again, and a broken file has its last good version.
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from '../base/diagnostic.ts';
import { writeStable } from '../base/stable-file.ts';
import { LAYOUT_VERSION } from '../zone/layout.ts';
import type { CompiledZone, ZoneMeta } from '../zone/meta.ts';

/** Raise with every change of what parsing or compiling makes of the same source. */
const PROGRAM_FORMAT = `meridian ${LAYOUT_VERSION}.1`;
const DIGEST_BYTES = 32;

export interface CachedZone {
  readonly key: string;
  readonly compiled: CompiledZone;
  readonly warnings: readonly Diagnostic[];
}

/** The key of a zone's source: everything that its compiled form depends on. */
export function sourceKey(parts: readonly string[]): string {
  const hash = createHash('sha256').update(PROGRAM_FORMAT);
  for (const part of parts) hash.update(`\0${part.length}\0`).update(part);
  return hash.digest('base64url');
}

function fileOf(directory: string, zone: string): string {
  return join(directory, 'zones', `${zone === '.' ? 'root' : encodeURIComponent(zone)}.zone`);
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
}

/** Stores a compiled zone: SHA-256 of the rest, length of the head (32 bits, little endian), head (JSON), image. */
export function storeZone(directory: string, zone: string, { key, compiled, warnings }: CachedZone): void {
  const head = Buffer.from(toJson({ format: PROGRAM_FORMAT, key, meta: compiled.meta, warnings } satisfies Head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const digest = createHash('sha256').update(length).update(head).update(compiled.image).digest();
  writeStable(fileOf(directory, zone), Buffer.concat([digest, length, head, compiled.image]));
}

/** The stored zone, or null: none, damaged, or of another format. */
export function loadZone(directory: string, zone: string): CachedZone | null {
  let file: Buffer;
  try {
    file = readFileSync(fileOf(directory, zone));
  } catch {
    return null;
  }
  const body = file.subarray(DIGEST_BYTES);
  if (body.length < 4) return null;
  if (!createHash('sha256').update(body).digest().equals(file.subarray(0, DIGEST_BYTES))) return null;
  const imageAt = 4 + body.readUInt32LE();
  const head = fromJson(body.toString('utf8', 4, imageAt)) as Head;
  if (head.format !== PROGRAM_FORMAT) return null;
  const image = new Uint8Array(body.length - imageAt);
  image.set(body.subarray(imageAt));
  return { key: head.key, compiled: { image, meta: head.meta }, warnings: head.warnings };
}

export function dropZone(directory: string, zone: string): void {
  rmSync(fileOf(directory, zone), { force: true });
}
