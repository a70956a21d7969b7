// A control plane without a server below it: two targets, one zone, and a memory of what it was asked to do.
import type { ControlPlane, CoverageTold, StatusTold } from '../../dist/api/control-plane.js';
import {
  type CoverageRow,
  type EventView,
  type Explanation,
  type ForceRequest,
  type NumbersView,
  RequestError,
  type TargetView,
  type ZoneSummary,
} from '../../dist/api/views.js';

const AT = '2026-01-02T03:04:05.000Z';

function target(pool: string, address: string, state: TargetView['state']): TargetView {
  return {
    id: `net.cat/${pool}/${address}`,
    zone: 'net.cat',
    pool,
    address,
    check: 'web',
    state,
    forced: null,
    since: AT,
    lastProbe: { ok: state === 'up', reason: state === 'up' ? '200 OK' : 'connection refused', latencyMs: 1.5, at: AT },
    drain: null,
    load: null,
    flapping: false,
    latencies: [1, 2, 1.5],
    certificateDays: state === 'up' ? 40 : null,
    answers: 5,
  };
}

export class FakeControl implements ControlPlane {
  isReady = true;
  /** Whether what is forced can be stored. */
  stores = true;
  problems: StatusTold['problems'] = [];
  known = [target('moscow', '127.0.1.1', 'up'), target('rio', '2001:db8::1', 'down')];
  summary: ZoneSummary = {
    name: 'net.cat',
    file: 'zones/net.cat.yaml',
    owner: 'web-team',
    state: 'ok',
    serial: 7,
    names: 3,
    records: 5,
    targets: 2,
    loadedAt: AT,
    errors: 0,
    warnings: 1,
    queries: { ecs: 30, resolver: 10, unknownPlace: 4 },
    failOpen: ['net.cat A'],
  };
  /** What was asked, in order: method and arguments. */
  readonly asked: unknown[][] = [];
  readonly stored: EventView[] = [];
  /** Events after which more were asked for. */
  readonly askedAfter: number[] = [];
  readonly #listeners = new Set<(event: EventView) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  emit(type: string, message: string): EventView {
    const event = { id: this.stored.length + 1, at: AT, type, target: null, message, detail: {} };
    this.stored.push(event);
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  ready(): boolean {
    return this.isReady;
  }

  async status(): Promise<StatusTold> {
    return {
      version: '0.1.0',
      startedAt: AT,
      uptimeSeconds: 61,
      ready: this.isReady,
      listen: ['127.0.0.1:5300'],
      admin: '',
      dataThreads: 1,
      udp: 'recvmmsg',
      zones: this.zones(),
      geo: {
        databases: [{ file: 'embedded', type: 'country', built: AT, embedded: true, ageDays: 100 }],
        overrides: 2,
        problems: [],
        old: ['the embedded database is 100 days old'],
        updates: [
          { file: 'a.mmdb', triedAt: AT, goodAt: AT, installedAt: null, nextAt: null, failures: 2, error: 'down' },
          { file: 'b.mmdb', triedAt: null, goodAt: null, installedAt: null, nextAt: AT, failures: 0, error: null },
        ],
      },
      health: { targets: 2, up: 1, down: 1, unknown: 0, forced: 0, frozen: null, blackout: null },
      failOpen: ['net.cat A'],
      problems: this.problems,
      warnings: [],
      counters: { udpQueries: 90, tcpQueries: 10, ecsQueries: 25, nxdomain: 3, tcp_open: 2 },
    };
  }

  numbers(): NumbersView {
    return {
      pools: [{ zone: 'net.cat', pool: 'moscow', region: 'europe', family: 'ipv4', answers: 12 }],
      types: [{ type: 'AAAA', transport: 'tcp', queries: 3 }],
      clients: [{ country: 'GB', queries: 64 }],
      sizes: { bounds: [64, 512], counts: [2, 1, 1], sum: 2000 },
      seconds: { bounds: [0.001], counts: [4, 0], sum: 0.002 },
    };
  }

  targets(): Iterable<TargetView> {
    return this.known;
  }

  async *zones(): AsyncGenerator<ZoneSummary> {
    yield* this.summaries;
  }

  get summaries(): ZoneSummary[] {
    return [this.summary];
  }

  async zone(name: string) {
    return this.hasZone(name) ? { ...this.summary, diagnostics: [], transfer: null, pools: [] } : undefined;
  }

  hasZone(name: string): boolean {
    return name === 'net.cat';
  }

  explain(request: Parameters<ControlPlane['explain']>[0]): Explanation {
    this.asked.push(['explain', request]);
    if (request.client === 'nonsense') throw new RequestError(400, 'bad-address', '"nonsense" is not an IP address');
    return {
      question: { name: request.name, type: request.type ?? 'A', zone: 'net.cat' },
      chain: [],
      client: { address: request.client ?? '127.0.0.1', source: 'ecs', unplacedSubnet: null, prefix: '81.2.69.160/32' },
      place: {
        network: '81.2.69.0/24',
        country: 'GB',
        continent: 'europe',
        subdivision: null,
        city: null,
        as: null,
        at: [51.5, -0.1],
        database: 'embedded',
        built: AT,
        countries: [],
      },
      region: { name: 'default', match: 'default', candidates: [] },
      pools: [
        {
          name: 'moscow',
          state: 'up',
          chosen: true,
          distanceKm: 2500.4,
          why: 'the closest',
          members: [
            {
              address: '127.0.1.1',
              state: 'up',
              forced: null,
              lastProbe: { ok: true, reason: '200 OK', latencyMs: 1.5, at: AT },
              weight: 1,
              chosen: true,
              why: 'up',
            },
          ],
        },
      ],
      answer: {
        rcode: 'NOERROR',
        records: ['net.cat. 60 IN A 127.0.1.1'],
        authority: [],
        ttl: 60,
        ttlReason: 'as written',
        scope: 16,
        sizes: [{ transport: 'udp512', octets: 41, truncated: false, records: 1 }],
      },
      steps: ['The client 81.2.69.160 is in GB.', 'The closest pool that is up is moscow.'],
    };
  }

  async coverage(name: string, type: string): Promise<CoverageTold> {
    this.asked.push(['coverage', name, type]);
    return { rows: this.rows(), withoutAddresses: [], warnings: [], split: { ipv4: 0, ipv6: 0 } };
  }

  async *rows(): AsyncGenerator<CoverageRow> {
    yield { place: 'RU', region: 'russia', pool: 'moscow' };
    yield { place: 'AQ', region: 'default', pool: null };
  }

  async reload() {
    this.asked.push(['reload']);
    return { zones: this.zones(), changed: ['net.cat'], removed: [], errors: [], warnings: [] };
  }

  async forceTarget(id: string, request: ForceRequest) {
    this.asked.push(['forceTarget', id, request]);
    return { target: this.#find(id), emptied: ['rio.net.cat A'], stored: this.stores };
  }

  async unforceTarget(id: string, by: string) {
    this.asked.push(['unforceTarget', id, by]);
    return { target: this.#find(id), stored: this.stores };
  }

  async forcePool(zone: string, pool: string, request: ForceRequest) {
    this.asked.push(['forcePool', zone, pool, request]);
    return { targets: this.#findPool(zone, pool), emptied: [], stored: this.stores };
  }

  async unforcePool(zone: string, pool: string, by: string) {
    this.asked.push(['unforcePool', zone, pool, by]);
    return { targets: this.#findPool(zone, pool), stored: this.stores };
  }

  freeze(forMs: number | null, reason: string, by: string) {
    this.asked.push(['freeze', forMs, reason, by]);
    return forMs === 0 ? null : { until: null, reason, by };
  }

  events(most: number): EventView[] {
    return this.stored.slice(-most);
  }

  eventsAfter(id: number, most: number): EventView[] {
    this.askedAfter.push(id);
    return this.stored.filter((event) => event.id > id).slice(0, most);
  }

  onEvent(listener: (event: EventView) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #find(id: string): TargetView {
    const found = this.known.find((candidate) => candidate.id === id);
    if (found === undefined) throw new RequestError(404, 'unknown-target', `there is no target ${id}`);
    return found;
  }

  #findPool(zone: string, pool: string): TargetView[] {
    const found = this.known.filter((candidate) => candidate.zone === zone && candidate.pool === pool);
    if (found.length === 0) throw new RequestError(404, 'unknown-pool', `there is no pool ${zone}/${pool}`);
    return found;
  }
}
