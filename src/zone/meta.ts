// What the control plane keeps of a compiled zone beside its image: plain data, stored with the image under its hash.
import type { Place } from '../geo/place.ts';
import type { MapSpec } from '../regionmap/spec.ts';
import type { Check, ChoiceList, MemberFamily, OnMissingFamily, Pool, Transfer, WhenAllDown } from './model.ts';

/** One target of the zone; its place in the list is its number in the image. */
export interface TargetMeta {
  /** `ZONE/POOL/ADDRESS` */
  readonly id: string;
  readonly zone: string;
  readonly pool: string;
  readonly address: string;
  readonly family: MemberFamily;
  readonly check: Check | null;
  readonly capacity: number | null;
  readonly weight: number;
}

/** One steered record set's steering in the words of the file; its place in the list is STEER.number. */
export interface SteeringMeta {
  /** The names that have it, relative to the zone (`@`, `www`); the first few. */
  readonly owners: readonly string[];
  /** Its block in the image, word. */
  readonly at: number;
  /** Its region map in `maps`, -1: none. */
  readonly map: number;
  readonly type: number;
  readonly regions: readonly { readonly name: string; readonly places: readonly Place[]; readonly slot: number }[];
  readonly defaultSlot: number;
  /** The lists by slot. */
  readonly lists: readonly ChoiceList[];
  readonly whenAllDown: WhenAllDown;
  readonly onMissingFamily: OnMissingFamily;
  readonly answers: number | null;
  readonly ttlMax: number;
  readonly ttlMin: number;
}

/** A pool without its members (they are in `targets`); its place in the list is POOL.number. */
export interface PoolMeta extends Omit<Pool, 'members' | 'check'> {
  readonly check: string | null;
  readonly members: readonly number[];
  /** Its blocks in the image, words: one for each family that some set asks for. */
  readonly blocks: readonly number[];
}

export interface ZoneMeta {
  /** Lower case without final dot, the root is `.`. */
  readonly name: string;
  readonly owner: string | null;
  /** `soa.serial` of the file; null: the server assigns one. */
  readonly serial: number | null;
  readonly targets: readonly TargetMeta[];
  readonly maps: readonly MapSpec[];
  readonly steerings: readonly SteeringMeta[];
  readonly pools: readonly PoolMeta[];
  readonly transfer: Transfer | null;
  /** Codes of warnings that the file accepts. */
  readonly accept: readonly string[];
  readonly usesCommon: boolean;
  readonly names: number;
  readonly records: number;
}

export interface CompiledZone {
  readonly image: Uint8Array;
  readonly meta: ZoneMeta;
}
