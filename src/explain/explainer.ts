// Explains one answer: runs the server's own answer path with a trace, and puts words to what it heard.

import { TRANSPORT_TCP, TRANSPORT_UDP } from '../answer/port.ts';
import { Answerer } from '../answer/respond.ts';
import { NOTE } from '../answer/steered.ts';
import { type ExplainedMember, type ExplainRequest, type Explanation, RequestError } from '../api/views.ts';
import { type Address, formatAddress, formatPrefix } from '../base/address.ts';
import { systemClock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import { RandomWords } from '../base/random.ts';
import { isLive, isWithdrawn, packTarget } from '../board/board.ts';
import { COUNTER_ROW, ZONE_ROW } from '../board/counters.ts';
import { chunkOf, READERS, StoreReader, wordOf } from '../board/store.ts';
import { coordinatesOf } from '../geo/centres.ts';
import { greatCircleKm } from '../geo/distance.ts';
import { GeoView } from '../geo/lookup.ts';
import type { PlaceFacts } from '../geo/place.ts';
import type { Serving } from '../loading/serving.ts';
import type { ServedZone } from '../loading/zones.ts';
import { countSplit } from '../regionmap/split.ts';
import { randomSeed } from '../serve/answerer.ts';
import { MODE_FAIL_OPEN } from '../steer/choose.ts';
import type { Targets } from '../targets/targets.ts';
import { rcodeToText, TYPE, typeToText } from '../wire/types.ts';
import { matchRegions } from '../zone/match.ts';
import type { PoolMeta, SteeringMeta, ZoneMeta } from '../zone/meta.ts';
import { expectedPool } from './expected-pool.ts';
import { explainedPlace } from './explained-place.ts';
import { type HeardLink, type HeardSteering, Listener } from './listener.ts';
import { buildQuery, fillPeer, type ReadResponse, readResponse } from './packets.ts';
import { listText, placeText } from './place-text.ts';
import { poolsInOrder } from './pool-order.ts';
import { type Asked, readRequest } from './request.ts';
import { type LinkStory, poolWhy, storyOf, ttlReason } from './words.ts';

/** A reader number that no data thread has. */
const EXPLAIN_READER = READERS - 1;

/** One run of the answer path. */
interface Run {
  readonly octets: number;
  readonly response: ReadResponse;
  readonly heard: HeardSteering | null;
  readonly links: readonly HeardLink[];
}

export class Explainer {
  readonly #serving: Serving;
  readonly #targets: Targets;
  readonly #answerer: Answerer;
  readonly #reader: StoreReader;
  readonly #bytes = new Uint8Array(limits.messageBytes);

  constructor(serving: Serving, targets: Targets) {
    this.#serving = serving;
    this.#targets = targets;
    const { store } = serving.images;
    this.#reader = new StoreReader(store.handle(), EXPLAIN_READER, () => {});
    serving.onChunk((index, buffer) => this.#reader.addChunk(index, buffer));
    // Rows of its own: what is explained was not asked.
    this.#answerer = new Answerer({
      reader: this.#reader,
      board: new Int32Array(serving.board.buffer),
      counters: new Float64Array(COUNTER_ROW),
      zoneCounters: new Float64Array(limits.zones * ZONE_ROW),
      notes: new Float64Array(limits.targets * NOTE.size),
      random: new RandomWords(randomSeed()),
      clock: systemClock,
      cookies: null,
      rate: null,
      edns: { udpSize: limits.explainUdpBytes, nsid: new Uint8Array(0), keepalive: 0 },
      identity: { version: new Uint8Array(0), hostname: new Uint8Array(0) },
      udpMaxBytes: limits.explainUdpBytes,
      udpMaxBytesWithoutCookie: limits.explainUdpBytes,
    });
  }

  /** Throws RequestError where the question is none. */
  explain(request: ExplainRequest): Explanation {
    const asked = readRequest(request);
    const edns = this.#run(asked, limits.explainUdpBytes, false);
    const plain = this.#run(asked, asked.subnet === null ? null : limits.plainUdpBytes, false);
    const tcp = this.#run(asked, limits.explainUdpBytes, true);
    const { heard, response } = edns;
    const fromSubnet = asked.subnet !== null && asked.subnet.length > 0;
    const client = fromSubnet ? asked.subnet.address : asked.peer;
    const bits = client.family === 4 ? 32 : 128;
    const links = this.#links(request.name, asked.type, edns, client);
    const last = links.findLast((link) => link.steered !== null)?.steered ?? null;
    const zone = links[0]?.zone;
    const ttl = response.answers.length > 0 ? Math.min(...response.answers.map((record) => record.ttl)) : null;
    const sizes = (
      [
        ['udp512', plain],
        ['edns1232', edns],
        ['tcp', tcp],
      ] as const
    ).map(([transport, run]) => ({
      transport,
      octets: run.octets,
      truncated: run.response.truncated,
      records: run.response.answers.length,
    }));
    const explanation = {
      question: { name: request.name, type: typeToText(asked.type), zone: zone?.name ?? null },
      chain: links.map((link) => ({
        name: link.name,
        zone: link.zone?.name ?? null,
        steered: link.steered !== null,
        target: link.target,
      })),
      client: {
        address: formatAddress(client),
        source: fromSubnet ? ('ecs' as const) : ('resolver' as const),
        prefix: fromSubnet ? formatPrefix(asked.subnet) : `${formatAddress(client)}/${bits}`,
      },
      place: this.#geo((geo) => explainedPlace(geo, client, fromSubnet ? asked.subnet : null)),
      region: last?.region ?? null,
      pools: last?.pools ?? [],
      answer: {
        rcode: rcodeToText(response.rcode),
        records: response.answers.map((record) => record.text),
        authority: response.authorities.map((record) => record.text),
        ttl,
        ttlReason: ttlReason(last?.steering ?? null, heard, response),
        scope: response.scope ?? heard?.scope ?? 0,
        sizes,
      },
    };
    return { ...explanation, steps: storyOf(explanation, links, response) };
  }

  /** Every name of the chain with what was decided there; one that leaves this server ends it. */
  #links(name: string, type: number, { links, response }: Run, client: Address): LinkStory[] {
    const aliases = response.answers.filter((record) => record.type === TYPE.CNAME);
    const targetOf = (i: number): string | null => aliases[i]?.text.split(' ').at(-1) ?? null;
    const told = links.map((link, i): LinkStory => {
      const zone = this.#zoneOf(link.zone);
      const steering = link.heard === null ? undefined : zone?.meta?.steerings[link.heard.steering];
      return {
        name: i === 0 ? name : targetOf(i - 1)!,
        zone,
        target: targetOf(i),
        steered:
          link.heard === null || steering === undefined
            ? null
            : {
                heard: link.heard,
                steering,
                region: this.#region(steering, client),
                pools: this.#pools(zone!.meta!, steering, link.heard, response, client),
              },
      };
    });
    const last = told.at(-1);
    const leads = type === TYPE.CNAME ? null : (last?.target ?? null);
    if (leads !== null && !aliases.some((alias) => alias.name === leads)) {
      told.push({ name: leads, zone: undefined, target: null, steered: null });
    }
    return told;
  }

  /** What one client gets, in short: for coverage. */
  glance(name: string, type: string, client: Address): { region: string; pool: string | null } {
    const asked = readRequest({ name, type, client: formatAddress(client) });
    const { heard } = this.#run(asked, limits.explainUdpBytes, false);
    const meta = heard === null ? null : this.#zoneOf(heard.zone)?.meta;
    const steering = heard === null ? undefined : meta?.steerings[heard.steering];
    if (heard === null || !meta || steering === undefined) return { region: 'default', pool: null };
    return { region: this.#region(steering, client)?.name ?? 'default', pool: meta.pools[heard.pool]?.name ?? null };
  }

  /** What a client gets of whom an AS number (0: none) and these facts are all that is known. */
  expect(name: string, type: string, as: number, facts: PlaceFacts): { region: string; pool: string | null } {
    const { heard } = this.#run(readRequest({ name, type }), limits.explainUdpBytes, false);
    const meta = heard === null ? null : this.#zoneOf(heard.zone)?.meta;
    const steering = heard === null ? undefined : meta?.steerings[heard.steering];
    if (!meta || steering === undefined) return { region: 'default', pool: null };
    const matches = matchRegions(steering.regions, { address: null, as, facts });
    const slots = matches.map(({ region }) => steering.regions.find((r) => r.name === region)!.slot);
    const pool = expectedPool(meta, steering, [...slots, steering.defaultSlot], facts, (id) => this.#word(id));
    return { region: matches[0]?.region ?? 'default', pool };
  }

  /** The steering of a name, or null where it isn't steered. Throws RequestError where the question is none. */
  steeringOf(name: string, type: string): SteeringMeta | null {
    const { heard } = this.#run(readRequest({ name, type }), limits.explainUdpBytes, false);
    return heard === null ? null : (this.#zoneOf(heard.zone)?.meta?.steerings[heard.steering] ?? null);
  }

  /** How many networks hold clients of several lists; the name must be steered. */
  split(name: string, type: string): { ipv4: number; ipv6: number } {
    const { heard } = this.#run(readRequest({ name, type }), limits.explainUdpBytes, false);
    const zone = heard === null ? undefined : this.#zoneOf(heard.zone);
    const steering = heard === null ? undefined : zone?.meta?.steerings[heard.steering];
    const key = steering === undefined ? undefined : zone?.mapKeys[steering.map];
    const ref = key === undefined ? 0 : this.#serving.images.map(key);
    if (ref === 0) return { ipv4: 0, ipv6: 0 };
    return this.#geo((geo) => countSplit(this.#reader.words[chunkOf(ref)]!, wordOf(ref), geo));
  }

  /** Reads the geo image that is served. */
  withGeo<T>(read: (geo: GeoView) => T): T {
    return this.#geo(read);
  }

  #zoneOf(number: number): ServedZone | undefined {
    for (const zone of this.#serving.zones.all.values()) if (zone.number === number) return zone;
    return undefined;
  }

  #run(asked: Asked, udpSize: number | null, tcp: boolean): Run {
    const request = buildQuery({ name: asked.name, type: asked.type, udpSize, subnet: asked.subnet });
    this.#bytes.set(request);
    fillPeer(this.#answerer.peer, asked.peer);
    const listener = new Listener();
    this.#answerer.trace = listener;
    this.#answerer.beginBatch();
    try {
      const transport = tcp ? TRANSPORT_TCP : TRANSPORT_UDP;
      const octets = this.#answerer.respond(this.#bytes, 0, request.length, this.#bytes.length, transport);
      if (octets <= 0) throw new RequestError(409, 'not-ready', 'the server has nothing to answer from yet');
      return {
        octets,
        response: readResponse(this.#bytes.subarray(0, octets)),
        heard: listener.heard,
        links: listener.links,
      };
    } finally {
      this.#answerer.endBatch();
      this.#answerer.trace = null;
    }
  }

  #geo<T>(read: (geo: GeoView) => T): T {
    const ref = this.#serving.images.geo;
    const geo = new GeoView();
    geo.attach(this.#reader.words[chunkOf(ref)]!, wordOf(ref));
    return read(geo);
  }

  #region(steering: SteeringMeta, client: Address): Explanation['region'] {
    const located = this.#geo((geo) => geo.locate(client));
    const matches = matchRegions(steering.regions, { address: client, as: located.as, facts: located.facts });
    const text = (slot: number): string => listText(steering.lists[slot]!);
    const candidates = matches.map(({ region, place }) => ({
      name: region,
      match: placeText(place),
      list: text(steering.regions.find((r) => r.name === region)!.slot),
    }));
    candidates.push({ name: 'default', match: 'default', list: text(steering.defaultSlot) });
    return { name: candidates[0]!.name, match: candidates[0]!.match, candidates };
  }

  /** Every pool on the client's way up, in its order, each once. */
  #pools(
    meta: ZoneMeta,
    steering: SteeringMeta,
    heard: HeardSteering,
    response: ReadResponse,
    client: Address,
  ): Explanation['pools'] {
    const from = this.#geo((geo) => coordinatesOf(geo.locate(client).facts));
    const order = heard.slots.flatMap((slot) =>
      steering.lists[slot]!.flatMap((choice) => poolsInOrder(choice, meta.pools, from)),
    );
    const names = [...new Set(order)];
    let after = false;
    const family = steering.type === TYPE.A ? 4 : steering.type === TYPE.AAAA ? 6 : 'name';
    return names.map((name) => {
      const number = meta.pools.findIndex((pool) => pool.name === name);
      const pool = meta.pools[number]!;
      const chosen = number === heard.pool;
      const members = pool.members.map((target) => meta.targets[target]!).filter((target) => target.family === family);
      const before = !after;
      after ||= chosen;
      const live = members.filter((member) => isLive(this.#word(member.id))).length;
      const state =
        members.length === 0 ? 'no members of this family' : this.#isUp(pool, members, heard, number) ? 'up' : 'down';
      return {
        name,
        state,
        chosen,
        distanceKm: from === null || pool.at === null ? null : Math.round(greatCircleKm(from, pool.at)),
        why: poolWhy({ chosen, before, state, live, members: members.length }, heard),
        members: members.map((target) => this.#member(target.id, target.address, pool, chosen, heard, response)),
      } as const;
    });
  }

  #word(id: string): number {
    const slot = this.#targets.slot(id);
    return slot === undefined ? 0 : packTarget(this.#serving.board.get(slot));
  }

  #isUp(pool: PoolMeta, members: readonly { id: string }[], heard: HeardSteering, number: number): boolean {
    const known = heard.states.get(number);
    if (known !== undefined) return known.up;
    const live = members.filter((member) => isLive(this.#word(member.id))).length;
    const { minLive } = pool;
    return (
      live >=
      Math.max(1, minLive.kind === 'count' ? minLive.count : Math.ceil((members.length * minLive.percent) / 100))
    );
  }

  #member(
    id: string,
    address: string,
    pool: PoolMeta,
    poolChosen: boolean,
    heard: HeardSteering,
    response: ReadResponse,
  ): ExplainedMember {
    const view = this.#targets.view(id, Date.now());
    const slot = this.#targets.slot(id);
    const word = this.#word(id);
    const chosen = slot !== undefined && poolChosen && heard.members.includes(slot);
    const forced = view?.forced ?? null;
    let why: string;
    if (chosen)
      why =
        heard.mode === MODE_FAIL_OPEN ? 'in the answer: nothing is live, so it is served as if up' : 'in the answer';
    else if (isWithdrawn(word))
      why = `left out: forced ${forced?.state ?? 'down'} by ${forced?.by ?? 'an operator'} (${forced?.reason ?? ''})`;
    else if (!isLive(word)) why = `left out: down (${view?.lastProbe?.reason ?? 'no probe yet'})`;
    else if (!poolChosen) why = 'live, but another pool was chosen';
    else if (response.answers.length === 0) why = 'live, but the answer has no records';
    else why = `live, but not among the ${response.answers.length} picked (${pool.pick})`;
    return {
      address,
      state: view?.state ?? 'unknown',
      forced,
      lastProbe: view?.lastProbe ?? null,
      weight: this.#weight(id),
      chosen,
      why,
    };
  }

  #weight(id: string): number {
    for (const zone of this.#serving.zones.all.values()) {
      const target = zone.meta?.targets.find((t) => t.id === id);
      if (target !== undefined) return target.weight;
    }
    return 1;
  }
}
