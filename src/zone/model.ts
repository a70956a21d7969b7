// What a zone file says, typed: the contract's words after parsing and validation, before compilation.
import type { Address, Prefix } from '../base/address.ts';
import type { Coordinates, Place } from '../geo/place.ts';

/** Address family of a pool's members as record types see them: A, AAAA, or names for CNAME. */
export type MemberFamily = 4 | 6 | 'name';

export interface Member {
  /** Canonical text of the address, or the absolute lower-case name with its final dot. The last part of the target's id. */
  readonly address: string;
  readonly family: MemberFamily;
  /** 4 or 16 bytes, or the name in wire form (case as written). */
  readonly bytes: Uint8Array;
  /** 0 to limits.weight. */
  readonly weight: number;
  /** What `sticky` hashes: the `name` key, else `address`. */
  readonly stickyName: string;
  /** Relative size for load shedding; null: not given. */
  readonly capacity: number | null;
}

export type Pick = 'weighted' | 'ordered' | 'sticky';

export interface Pool {
  readonly name: string;
  /** The zone of its targets: the zone's name without final dot (`net.cat`, the root is `.`), or `_common`. */
  readonly zone: string;
  readonly at: Coordinates | null;
  /** null: no check, always up. */
  readonly check: Check | null;
  readonly pick: Pick;
  readonly minLive:
    | { readonly kind: 'count'; readonly count: number }
    | { readonly kind: 'percent'; readonly percent: number };
  readonly members: readonly Member[];
  /** Factor on the distance in `closest`; 1 where not given. */
  readonly bias: number;
  /** Load marks [low, high], 0 to 1; null: no shedding. */
  readonly shed: readonly [low: number, high: number] | null;
}

/** One element of a list of pools. */
export type Choice =
  | { readonly kind: 'pool'; readonly pool: string }
  | { readonly kind: 'closest'; readonly pools: readonly string[]; readonly spreadKm: number }
  | { readonly kind: 'weighted'; readonly shares: readonly { readonly pool: string; readonly weight: number }[] };

/** Pools in order of preference. Empty means `default: nodata`. */
export type ChoiceList = readonly Choice[];

/** Which clients get which list. `closest`, `pools` and `weighted` record sets have no regions and only a default. */
export interface Steering {
  readonly regions: readonly { readonly name: string; readonly places: readonly Place[]; readonly list: ChoiceList }[];
  readonly default: ChoiceList;
}

export type WhenAllDown = 'serve' | 'nodata' | 'servfail';

/** What a pool without a member of the asked address family does: answer NODATA when it is chosen, or leave it to the next. */
export type OnMissingFamily = 'nodata' | 'next';

/** Seconds; min equals max for a fixed TTL. */
export interface Ttl {
  readonly max: number;
  readonly min: number;
  /** True for `{max, min}`: the TTL follows the health of the members. */
  readonly dynamic: boolean;
}

/** One record's data in wire form. */
export interface Rdata {
  readonly bytes: Uint8Array;
  /** Offsets in `bytes` of domain names that may be compressed (RFC 3597 4: only the types of RFC 1035). */
  readonly names: readonly number[];
}

export interface StaticSet {
  readonly kind: 'static';
  readonly type: number;
  readonly ttlSeconds: number;
  readonly records: readonly Rdata[];
}

/** ADDR is already split: it gives one set of type A and one of type AAAA. */
export interface SteeredSet {
  readonly kind: 'steered';
  readonly type: number;
  readonly ttl: Ttl;
  readonly steering: Steering;
  /** Most records in one answer; null: the contract's default (1 for ordered, sticky and CNAME, else all). */
  readonly answers: number | null;
  readonly whenAllDown: WhenAllDown;
  readonly onMissingFamily: OnMissingFamily;
}

/** A name that owns records. */
export interface Owner {
  /** Wire form, lower case. */
  readonly name: Uint8Array;
  readonly sets: readonly (StaticSet | SteeredSet)[];
}

export interface Soa {
  readonly mname: Uint8Array;
  readonly rname: Uint8Array;
  /** null: the server assigns one. */
  readonly serial: number | null;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
  readonly ttlSeconds: number;
}

export interface Transfer {
  readonly allow: readonly Prefix[];
  readonly notify: readonly { readonly address: Address; readonly port: number }[];
}

/** A whole zone. SOA and apex NS are not among the owners' sets: they stand in `soa` and `ns`. */
export interface ZoneModel {
  /** Lower case without final dot: `net.cat`; the root is `.`. */
  readonly name: string;
  /** Wire form, lower case. */
  readonly apex: Uint8Array;
  readonly owner: string | null;
  readonly soa: Soa;
  readonly ns: { readonly ttlSeconds: number; readonly names: readonly Uint8Array[] };
  readonly transfer: Transfer | null;
  /** The pools that record sets can name: the zone's, and `_common`'s that it doesn't replace. */
  readonly pools: ReadonlyMap<string, Pool>;
  readonly owners: readonly Owner[];
  /** Whether anything came from `_common.yaml`. */
  readonly usesCommon: boolean;
}

// ---- Checks ----------------------------------------------------------------------------------------------------------

/** What a probe sends or waits for. */
export type Pattern =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'regex'; readonly source: string };

export interface HttpCheck {
  readonly kind: 'http';
  readonly tls: boolean;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  /** Host header; null: the member's name, else its address. */
  readonly host: string | null;
  /** TLS server name; null: `host`. */
  readonly sni: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly expectStatus: readonly (readonly [from: number, to: number])[];
  readonly expectBody: Pattern | null;
  readonly verify: boolean;
  /** Absolute path of a PEM file. */
  readonly caFile: string | null;
  /** Days a certificate must still be valid; null: only that it is. */
  readonly minDays: number | null;
  readonly version: '1.1' | '2';
  readonly reuse: boolean;
  readonly load:
    | { readonly kind: 'header'; readonly name: string }
    | { readonly kind: 'json'; readonly pointer: string }
    | null;
}

export interface TcpCheck {
  readonly kind: 'tcp';
  readonly port: number;
  readonly tls: boolean;
  readonly sni: string | null;
  readonly verify: boolean;
  readonly caFile: string | null;
  readonly send: Uint8Array | null;
  readonly expect: Pattern | null;
}

export interface UdpCheck {
  readonly kind: 'udp';
  readonly port: number;
  readonly send: Uint8Array;
  /** null: any answer. */
  readonly expect: Pattern | null;
}

export interface DnsCheck {
  readonly kind: 'dns';
  readonly port: number;
  readonly transport: 'udp' | 'tcp';
  /** Absolute, with final dot. */
  readonly name: string;
  readonly type: string;
  readonly expectRcode: string;
  /** A value that one of the answers must have, in presentation form; null: any. */
  readonly expectValue: string | null;
}

export interface WireguardCheck {
  readonly kind: 'wireguard';
  readonly port: number;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Absolute path of a file with our private key in base64. */
  readonly privateKeyFile: string;
  /** 32 bytes, or null. */
  readonly presharedKey: Uint8Array | null;
}

/** What checks may do, by the settings. */
export interface CheckRules {
  /** Run programs. */
  readonly exec: boolean;
  /** Read files below these folders; absolute. */
  readonly files: readonly string[];
  /** Probe link-local and metadata addresses. */
  readonly linkLocal: boolean;
}

export interface ExecCheck {
  readonly kind: 'exec';
  readonly command: string;
  readonly args: readonly string[];
}

export interface FileCheck {
  readonly kind: 'file';
  /** Absolute path of the file that another program writes. */
  readonly path: string;
}

export interface CombinedCheck {
  readonly kind: 'combined';
  /** How many of the parts must be up: all = n, any = 1. */
  readonly atLeast: number;
  readonly of: readonly Check[];
}

export type Probe = HttpCheck | TcpCheck | UdpCheck | DnsCheck | WireguardCheck | ExecCheck | FileCheck;

/** A check: how to probe, how often, and what adds up to a verdict. Times in milliseconds. */
export interface Check {
  /** The name in the file, or a made-up one for a check written in place (`web`, `http:80`). */
  readonly name: string;
  readonly probe: Probe | CombinedCheck;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly fall: number;
  readonly rise: number;
  readonly fastRecheck: boolean;
}
