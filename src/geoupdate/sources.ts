// The publishers that there are, one line each.
import { dbip } from './dbip.ts';
import { maxmind } from './maxmind.ts';
import { rir } from './rir.ts';
import type { SourceKind, UpdateSource } from './source.ts';
import { url } from './url.ts';

export const SOURCES: Readonly<Record<SourceKind, UpdateSource>> = { maxmind, dbip, rir, url };
