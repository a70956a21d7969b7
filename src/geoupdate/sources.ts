// The publishers that there are, one line each.
import type { UpdateSourceKind } from '../settings/geoip-update.ts';
import { dbip } from './dbip.ts';
import { maxmind } from './maxmind.ts';
import { rir } from './rir.ts';
import type { UpdateSource } from './source.ts';
import { url } from './url.ts';

export const SOURCES: Readonly<Record<UpdateSourceKind, UpdateSource>> = { maxmind, dbip, rir, url };
