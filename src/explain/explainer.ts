// Explains one answer: runs the server's own answer path with a trace, and puts words to what it heard.

import type { ExplainedMember, ExplainRequest, Explanation } from '../api/views.ts';
import { type Address, formatAddress, formatPrefix } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import { isLive, isWithdrawn, packTarget } from '../board/board.ts';
import { coordinatesOf } from '../geo/centres.ts';
import { greatCircleKm } from '../geo/distance.ts';
import { Inhabited } from '../geo/inhabited.ts';
import { locate } from '../geo/locate.ts';
import type { GeoView } from '../geo/lookup.ts';
import { type PlaceFacts, SPECIAL_PLACE } from '../geo/place.ts';
import { specialBlockOf } from '../geo/special.ts';
import type { ServedZone } from '../loading/served-zone.ts';
import type { Serving } from '../loading/serving.ts';
import { wayUp } from '../regionmap/chains.ts';
import { chainFrom } from '../regionmap/one-chain.ts';
import { countSplit } from '../regionmap/split.ts';
import { MODE_FAIL_OPEN } from '../steer/outcome.ts';
import type { Targets } from '../targets/targets.ts';
import { rcodeToText, TYPE, typeToText } from '../wire/types.ts';
import { type Candidate, type MatchedClient, regionMatcher } from '../zone/match.ts';
import type { PoolMeta, SteeringMeta, TargetMeta, ZoneMeta } from '../zone/meta.ts';
import { AnswerRunner, type Run } from './answer-run.ts';
import { explainedPlace } from './explained-place.ts';
import type { HeardSteering } from './listener.ts';
import type { ReadResponse } from './packets.ts';
import { listText, placeText } from './place-text.ts';
import { type Asked, readRequest } from './request.ts';
import { type LinkStory, poolWhy, storyOf, ttlReason } from './words.ts';

export class Explainer {
  readonly #serving: Serving;
  readonly #targets: Targets;
  readonly #runner: AnswerRunner;
  /** The zone that was asked for last: coverage asks for the same thousands of times. */
  #lastZone: ServedZone | null = null;
  #lastRegions: SteeringMeta['regions'] = [];
  #lastMatching = regionMatcher([]);
  #inhabited: Inhabited | null = null;

  constructor(serving: Serving, targets: Targets) {
    this.#serving = serving;
    this.#targets = targets;
    this.#runner = new AnswerRunner(serving);
  }

  /** Throws RequestError where the question is none. */
  explain(request: ExplainRequest): Explanation {
    const asked = readRequest(request);
    const edns = this.#runner.run(asked, limits.explainUdpBytes, false);
    const plain = this.#runner.run(asked, asked.subnet === null ? null : limits.plainUdpBytes, false);
    const tcp = this.#runner.run(asked, limits.explainUdpBytes, true);
    const { heard, response } = edns;
    const fromSubnet = asked.subnet !== null && asked.subnet.length > 0;
    const unplaced = fromSubnet ? this.#unplaced(asked.subnet.address, edns) : null;
    const ofSubnet = fromSubnet && unplaced === null;
    const client = ofSubnet ? asked.subnet.address : asked.peer;
    const bits = client.family === 4 ? 32 : 128;
    const links = this.#links(request.name, asked.type, edns, asked);
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
        source: ofSubnet ? ('ecs' as const) : ('resolver' as const),
        prefix: ofSubnet ? formatPrefix(asked.subnet) : `${formatAddress(client)}/${bits}`,
        unplacedSubnet: unplaced === null ? null : { prefix: formatPrefix(asked.subnet!), what: unplaced },
      },
      place: this.#runner.withGeo((geo) => explainedPlace(geo, client, ofSubnet ? asked.subnet : null)),
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

  /** What kind of address a client subnet is that says nothing of where the client is; null where it counts. */
  #unplaced(address: Address, { links }: Run): string | null {
    const steered = links.flatMap(({ heard }) => heard ?? []);
    // A network that a record set names is a place of its own.
    if (steered.length > 0 && !steered.some(({ byResolver }) => byResolver)) return null;
    if (this.#runner.withGeo((geo) => locate(geo, address).placeId) !== SPECIAL_PLACE) return null;
    return specialBlockOf(address)?.what ?? null;
  }

  /** Every name of the chain with what was decided there; one that leaves this server ends it. */
  #links(name: string, type: number, { links, response }: Run, asked: Asked): LinkStory[] {
    const subnet = asked.subnet !== null && asked.subnet.length > 0 ? asked.subnet.address : asked.peer;
    const aliases = response.answers.filter((record) => record.type === TYPE.CNAME);
    const targetOf = (i: number): string | null => aliases[i]?.text.split(' ').at(-1) ?? null;
    const told = links.map((link, i): LinkStory => {
      const zone = this.#zoneOf(link.zone);
      const steering = link.heard === null ? undefined : zone?.meta?.steerings[link.heard.steering];
      const client = link.heard?.byResolver ? asked.peer : subnet;
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
    const { heard } = this.#runner.run(asked, limits.explainUdpBytes, false);
    const meta = heard === null ? null : this.#zoneOf(heard.zone)?.meta;
    const steering = heard === null ? undefined : meta?.steerings[heard.steering];
    if (heard === null || !meta || steering === undefined) return { region: 'default', pool: null };
    return { region: this.#region(steering, client)?.name ?? 'default', pool: meta.pools[heard.pool]?.name ?? null };
  }

  /** What a client gets of whom an AS number (0: none) and these facts are all that is known. */
  expect(name: string, type: string, as: number, facts: PlaceFacts): { region: string; pool: string | null } {
    const { heard } = this.#runner.run(readRequest({ name, type }), limits.explainUdpBytes, false);
    const zone = heard === null ? undefined : this.#zoneOf(heard.zone);
    const meta = zone?.meta;
    const steering = heard === null ? undefined : meta?.steerings[heard.steering];
    if (!zone?.image || !meta || steering === undefined) return { region: 'default', pool: null };
    const matches = this.#matching(steering.regions)({ address: null, as, facts });
    const slots = matches.map(({ region }) => steering.regions.find((r) => r.name === region)!.slot);
    const spec = meta.maps[steering.map];
    const way = spec === undefined ? null : chainFrom(spec, wayUp(spec, slots), coordinatesOf(facts));
    const { pool } = this.#serving.probe.choose(this.#runner.image(zone.image), steering.at, way);
    return {
      region: matches[0]?.region ?? 'default',
      pool: pool === null ? null : (meta.pools[pool.number]?.name ?? null),
    };
  }

  /** The steering of a name, or null where it isn't steered. Throws RequestError where the question is none. */
  steeringOf(name: string, type: string): SteeringMeta | null {
    const { heard } = this.#runner.run(readRequest({ name, type }), limits.explainUdpBytes, false);
    return heard === null ? null : (this.#zoneOf(heard.zone)?.meta?.steerings[heard.steering] ?? null);
  }

  /** How many networks hold clients of several lists, worked out in steps; the name must be steered. */
  *split(name: string, type: string): Generator<null, { ipv4: number; ipv6: number }> {
    for (;;) {
      const version = this.geoVersion;
      const { heard } = this.#runner.run(readRequest({ name, type }), limits.explainUdpBytes, false);
      const zone = heard === null ? undefined : this.#zoneOf(heard.zone);
      const steering = heard === null ? undefined : zone?.meta?.steerings[heard.steering];
      const key = steering === undefined ? undefined : zone?.mapKeys[steering.map];
      const map = key === undefined ? undefined : this.#serving.images.map(key);
      if (map === undefined) return { ipv4: 0, ipv6: 0 };
      const steps = countSplit(map, 0, this.geo());
      const meta = zone?.meta;
      const isServed = (): boolean => this.geoVersion === version && zone?.meta === meta;
      let step = steps.next();
      while (!step.done && isServed()) {
        yield null;
        if (isServed()) step = steps.next();
      }
      if (step.done) return step.value;
    }
  }

  /** The geo image that is served. It may be gone as soon as `geoVersion` is another one. */
  geo(): GeoView {
    return this.#runner.withGeo((geo) => geo);
  }

  get geoVersion(): number {
    return this.#serving.images.geoVersion;
  }

  /** What the image that is served has addresses of. */
  inhabited(): Inhabited {
    const geo = this.geo();
    if (this.#inhabited?.stamp !== geo.stamp) this.#inhabited = new Inhabited(geo);
    return this.#inhabited;
  }

  #zoneOf(number: number): ServedZone | undefined {
    const { all } = this.#serving.zones;
    const last = this.#lastZone;
    if (last?.number === number && all.get(last.name) === last) return last;
    for (const zone of all.values()) {
      if (zone.number !== number) continue;
      this.#lastZone = zone;
      return zone;
    }
    return undefined;
  }

  /** The regions that a client of a set matches. Those of the last set are kept sorted: coverage asks thousands of times. */
  #matching(regions: SteeringMeta['regions']): (client: MatchedClient) => Candidate[] {
    if (this.#lastRegions !== regions) {
      this.#lastRegions = regions;
      this.#lastMatching = regionMatcher(regions);
    }
    return this.#lastMatching;
  }

  #region(steering: SteeringMeta, client: Address): Explanation['region'] {
    const located = this.#runner.withGeo((geo) => locate(geo, client));
    const matches = this.#matching(steering.regions)({ address: client, as: located.as, facts: located.facts });
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
    const from = this.#runner.withGeo((geo) => coordinatesOf(locate(geo, client).facts));
    const family = steering.type === TYPE.A ? 4 : steering.type === TYPE.AAAA ? 6 : 'name';
    const chosenAt = heard.way.findIndex(({ number }) => number === heard.pool);
    return heard.way.map((stands, i) => {
      const pool = meta.pools[stands.number]!;
      const chosen = i === chosenAt;
      const drawn = stands.draw === heard.way[chosenAt]?.draw;
      const members = pool.members.map((target) => meta.targets[target]!).filter((target) => target.family === family);
      return {
        name: pool.name,
        state: stands.members === 0 ? 'no members of this family' : stands.up ? 'up' : 'down',
        chosen,
        distanceKm: from === null || pool.at === null ? null : Math.round(greatCircleKm(from, pool.at)),
        why: poolWhy({ ...stands, chosen, before: chosenAt < 0 || i <= chosenAt || drawn }, heard, steering),
        members: members.map((target) => this.#member(target, pool, chosen, heard, response)),
      } as const;
    });
  }

  #word(id: string): number {
    const slot = this.#targets.slot(id);
    return slot === undefined ? 0 : packTarget(this.#serving.board.get(slot));
  }

  #member(
    { id, address, weight }: TargetMeta,
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
      weight,
      chosen,
      why,
    };
  }
}
