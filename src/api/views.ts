// What the control plane tells and takes: the shapes of the admin API, in the words of the contract.
import type { Diagnostic } from '../base/diagnostic.ts';

/** ISO 8601 in UTC. */
export type Timestamp = string;
export type ForcedState = 'up' | 'down' | 'drain';

export interface ForcedView {
  readonly state: ForcedState;
  /** null: forever. */
  readonly until: Timestamp | null;
  readonly reason: string;
  readonly by: string;
}

export interface ProbeView {
  readonly ok: boolean;
  readonly reason: string;
  readonly latencyMs: number;
  readonly at: Timestamp;
}

/** For a drained target: when nothing that names it can be cached any more. */
export interface DrainView {
  readonly lastAnswer: Timestamp | null;
  readonly safeAt: Timestamp | null;
  readonly secondsLeft: number;
  readonly safe: boolean;
  /** Answers that named it since it was drained: 0 unless something is wrong. */
  readonly answersSince: number;
}

export interface TargetView {
  /** `ZONE/POOL/ADDRESS` */
  readonly id: string;
  readonly zone: string;
  readonly pool: string;
  readonly address: string;
  /** Name of its check; null: not watched. */
  readonly check: string | null;
  readonly state: 'up' | 'down' | 'unknown';
  readonly forced: ForcedView | null;
  readonly since: Timestamp | null;
  readonly lastProbe: ProbeView | null;
  readonly drain: DrainView | null;
  readonly load: number | null;
  readonly flapping: boolean;
  /** Milliseconds of the last probes, oldest first. */
  readonly latencies: readonly number[];
  /** Whole days that the certificate has left which the last probe saw (negative: since it expired); null: none was seen. */
  readonly certificateDays: number | null;
  /** Answers of this run that named it. */
  readonly answers: number;
}

export interface ZoneSummary {
  readonly name: string;
  readonly file: string;
  readonly owner: string | null;
  /** `stale`: the file has errors, the last good version is served. `error`: SERVFAIL. */
  readonly state: 'ok' | 'stale' | 'error';
  readonly serial: number | null;
  readonly names: number;
  readonly records: number;
  readonly targets: number;
  readonly loadedAt: Timestamp | null;
  readonly errors: number;
  readonly warnings: number;
  /** Queries whose client came from ECS, from the resolver's address. */
  readonly queries: { readonly ecs: number; readonly resolver: number; readonly unknownPlace: number };
  /** Steered sets that are failing open now, as `name TYPE`. */
  readonly failOpen: readonly string[];
}

/** What a secondary was told of a zone's version (NOTIFY, RFC 1996). */
export interface NotifyView {
  /** `192.0.2.54:53` */
  readonly secondary: string;
  readonly serial: number;
  readonly state: 'waiting' | 'acknowledged' | 'failed';
  /** Messages sent so far. */
  readonly tries: number;
  /** Of the last try, or of the acknowledgement. */
  readonly at: Timestamp | null;
  /** Why it is not acknowledged, as far as known. */
  readonly reason: string | null;
}

export interface ZoneDetail extends ZoneSummary {
  readonly diagnostics: readonly Diagnostic[];
  /** Who may copy the zone, and who was told of its version; null: nobody. */
  readonly transfer: { readonly allow: readonly string[]; readonly notify: readonly NotifyView[] } | null;
  readonly pools: readonly {
    readonly name: string;
    readonly zone: string;
    readonly members: readonly string[];
    readonly live: number;
  }[];
}

/** Something that an operator must see to. */
export interface ProblemView {
  /** `state-unsaved`: something can't be stored and is in memory alone. `state-damaged`: a file of an earlier run couldn't be read. */
  readonly code: 'state-unsaved' | 'state-damaged';
  readonly message: string;
  readonly file: string;
  /** Since when; null: since the start. */
  readonly since: Timestamp | null;
}

/** How the updates of one database go; null: not yet, or never. */
export interface UpdateView {
  readonly file: string;
  readonly triedAt: Timestamp | null;
  /** When the publisher last had the newest, whether that was news or not. */
  readonly goodAt: Timestamp | null;
  readonly installedAt: Timestamp | null;
  readonly nextAt: Timestamp | null;
  /** Since the last good one. */
  readonly failures: number;
  readonly error: string | null;
}

export interface StatusView {
  readonly version: string;
  readonly startedAt: Timestamp;
  readonly uptimeSeconds: number;
  readonly ready: boolean;
  readonly listen: readonly string[];
  readonly admin: string;
  readonly dataThreads: number;
  readonly udp: 'recvmmsg' | 'dgram';
  readonly zones: readonly ZoneSummary[];
  readonly geo: {
    readonly databases: readonly {
      readonly file: string;
      readonly type: string;
      readonly built: Timestamp;
      /** It came with the program. */
      readonly embedded: boolean;
      /** null: it doesn't say when it was built. */
      readonly ageDays: number | null;
    }[];
    readonly overrides: number;
    readonly problems: readonly string[];
    /** A sentence for each database that is old. */
    readonly old: readonly string[];
    /** What is known of the databases that are fetched. */
    readonly updates: readonly UpdateView[];
  };
  readonly health: {
    readonly targets: number;
    readonly up: number;
    readonly down: number;
    readonly unknown: number;
    readonly forced: number;
    readonly frozen: { readonly until: Timestamp | null; readonly reason: string; readonly by: string } | null;
    readonly blackout: { readonly since: Timestamp; readonly until: Timestamp } | null;
  };
  readonly failOpen: readonly string[];
  /** What is wrong with the server itself, apart from its zones. */
  readonly problems: readonly ProblemView[];
  readonly warnings: readonly string[];
  /** The counters of `board/counters.ts` and `serve/counters.ts`, summed over the threads, and those of NOTIFY. */
  readonly counters: Readonly<Record<string, number>>;
}

export interface ExplainRequest {
  readonly name: string;
  /** Default A. */
  readonly type?: string | undefined;
  /** Asked with that address as a /32 or /128 subnet. */
  readonly client?: string | undefined;
  readonly subnet?: string | undefined;
  readonly resolver?: string | undefined;
}

export interface ExplainedMember {
  readonly address: string;
  readonly state: 'up' | 'down' | 'unknown';
  readonly forced: ForcedView | null;
  readonly lastProbe: ProbeView | null;
  readonly weight: number;
  readonly chosen: boolean;
  /** Why it is in the answer, or why not. */
  readonly why: string;
}

export interface ExplainedLink {
  readonly name: string;
  /** null: no zone of this server has it, so the resolver asks elsewhere. */
  readonly zone: string | null;
  readonly steered: boolean;
  /** What its CNAME names; null for the end of the chain. */
  readonly target: string | null;
}

export interface Explanation {
  readonly question: { readonly name: string; readonly type: string; readonly zone: string | null };
  /** The name and what its CNAMEs lead to, a link each; the place, region and pools are those of the last steered one. */
  readonly chain: readonly ExplainedLink[];
  readonly client: {
    readonly address: string;
    readonly source: 'ecs' | 'resolver';
    readonly prefix: string;
    /** A client subnet that says nothing of where the client is, and what kind of network it is; null: none, or it counts. */
    readonly unplacedSubnet: { readonly prefix: string; readonly what: string } | null;
  };
  readonly place: {
    readonly network: string | null;
    readonly country: string | null;
    readonly continent: string | null;
    readonly subdivision: string | null;
    readonly city: string | null;
    readonly as: number | null;
    readonly at: readonly [number, number] | null;
    readonly database: string | null;
    readonly built: Timestamp | null;
    /** Of a client subnet whose addresses lie in several countries: those, most addresses first; else empty. */
    readonly countries: readonly string[];
  };
  /** null: the set isn't steered by region. */
  readonly region: {
    readonly name: string;
    /** The place that matched, as written in canonical form; `default` for the default. */
    readonly match: string;
    readonly candidates: readonly { readonly name: string; readonly match: string; readonly list: string }[];
  } | null;
  readonly pools: readonly {
    readonly name: string;
    readonly state: 'up' | 'down' | 'no members of this family';
    readonly chosen: boolean;
    /** From the client, by great circle; null where either has no coordinates. */
    readonly distanceKm: number | null;
    readonly why: string;
    readonly members: readonly ExplainedMember[];
  }[];
  readonly answer: {
    readonly rcode: string;
    /** Presentation form, `name TTL IN TYPE data`. */
    readonly records: readonly string[];
    readonly authority: readonly string[];
    readonly ttl: number | null;
    readonly ttlReason: string;
    readonly scope: number;
    /** Octets (and whether TC is set, and records) over UDP without EDNS, UDP with 1232, and TCP. */
    readonly sizes: readonly {
      readonly transport: 'udp512' | 'edns1232' | 'tcp';
      readonly octets: number;
      readonly truncated: boolean;
      readonly records: number;
    }[];
  };
  /** The story in order, a sentence each. */
  readonly steps: readonly string[];
}

export interface CoverageRow {
  readonly place: string;
  readonly region: string;
  readonly pool: string | null;
}

export interface CoverageView {
  readonly rows: readonly CoverageRow[];
  /** The places of those rows that no loaded database (or override) has an address in. */
  readonly withoutAddresses: readonly string[];
  /** Places of the record set that no address lies in, and regions that no client gets, a sentence each. */
  readonly warnings: readonly string[];
  /** Networks as resolvers send them, IPv4 /24 and IPv6 /56, in which clients get different lists of pools. */
  readonly split: { readonly ipv4: number; readonly ipv6: number };
}

export interface ReloadView {
  readonly zones: readonly ZoneSummary[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly errors: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/** An event as it is stored and streamed. */
export interface EventView {
  readonly id: number;
  readonly at: Timestamp;
  readonly type: string;
  readonly target: string | null;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface ForceRequest {
  readonly state: ForcedState;
  /** null: forever. */
  readonly forMs: number | null;
  readonly reason: string;
  readonly by: string;
}

/** What was forced holds from now on. */
export interface TargetForced {
  readonly target: TargetView;
  /** Record sets that are left without a member that may be answered. */
  readonly emptied: readonly string[];
  /** False: it couldn't be stored (yet), and a restart would lose it. */
  readonly stored: boolean;
}

export interface PoolForced extends Omit<TargetForced, 'target'> {
  readonly targets: readonly TargetView[];
}

/** A request that can't be carried out: `status` is what HTTP says. */
export class RequestError extends Error {
  readonly status: 400 | 404 | 409 | 503;
  readonly code: string;

  constructor(status: 400 | 404 | 409 | 503, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Values by their size: `counts` has one for each bound, not those below it, and one above all. */
export interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** What was asked and answered since the start. */
export interface NumbersView {
  /** Good for one reading. */
  readonly pools: Iterable<{
    readonly zone: string;
    readonly pool: string;
    /** The client's; of several with one list of pools all names. */
    readonly region: string;
    readonly family: 'ipv4' | 'ipv6' | 'name';
    readonly answers: number;
  }>;
  readonly types: readonly { readonly type: string; readonly transport: 'udp' | 'tcp'; readonly queries: number }[];
  /** By sample: what was looked at stands for what was passed over. */
  readonly clients: readonly { readonly country: string; readonly queries: number }[];
  readonly sizes: Histogram;
  readonly seconds: Histogram;
}
