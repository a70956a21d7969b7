// The `pools` of a file: members, check, place and how members are picked.
import { formatAddress, parseAddress } from '../base/address.ts';
import type { Document, Node, ScalarNode } from '../base/document.ts';
import { Fields, readDecimal, readList, readMap, readScalar, readWhole } from '../base/fields.ts';
import { limits } from '../base/limits.ts';
import { isLinkLocalText } from '../base/link-local.ts';
import type { Coordinates } from '../geo/place.ts';
import { lowerName, nameToText } from '../wire/name.ts';
import type { Check, Member, MemberFamily, Pool } from '../zone/model.ts';
import { swappedFix } from './check-at.ts';
import type { Checks } from './checks.ts';
import { poolExample } from './map-examples.ts';
import { isLinkLocalUnicast, lintMemberAddress, reportBadAddress } from './member-address.ts';
import { parseScalarName, type Scope } from './scope.ts';

/** A pool, and what the checks of the whole zone need to know of how it was written. */
export interface WrittenPool {
  readonly pool: Pool;
  readonly document: Document;
  /** Of its name. */
  readonly offset: number;
  readonly minLiveOffset: number;
  readonly atOffset: number;
  /** It has an `at`, which is wrong (reported). */
  readonly atBroken: boolean;
  readonly membersOffset: number;
  /** Its check stands in `_common.yaml`, while the pool does not. */
  readonly usesCommonCheck: boolean;
  /** Something in it is wrong and reported: say no more about it. */
  readonly broken: boolean;
}

const POOL_KEYS = ['at', 'check', 'pick', 'min-live', 'members', 'bias', 'shed'] as const;
const MEMBER_KEYS = ['address', 'weight', 'name', 'capacity'] as const;
const EARTH_HALF_KM = 20_038;

/** Reads the value of the key `pools`. */
export function readPools(scope: Scope, node: Node | undefined, checks: Checks): Map<string, WrittenPool> {
  const pools = new Map<string, WrittenPool>();
  const { document } = scope;
  const map =
    node === undefined
      ? undefined
      : readMap(document, node, 'pools', 'a map of names and pools', '{ paris: { members: [192.0.2.1] } }');
  if (map === undefined) return pools;
  if (map.entries.size > limits.poolsPerZone) {
    document.report('too-many', map, `${map.entries.size} pools; at most ${limits.poolsPerZone} are read`, 'join some');
    return pools;
  }
  for (const { key, value } of map.entries.values()) {
    checkName(document, key);
    pools.set(key.text, readPool(scope, key, value, checks));
  }
  return pools;
}

function checkName(document: Document, key: ScalarNode): void {
  if (key.text === 'nodata') {
    const fix = 'give the pool another name';
    document.report(
      'bad-name',
      key,
      'a pool cannot be called "nodata", which is what a default without answer says',
      fix,
    );
  } else if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(key.text)) {
    const fix = 'use letters, digits, hyphens and underscores';
    document.report('bad-name', key, `"${key.text}" is no name for a pool`, fix);
  }
}

function readPool(scope: Scope, key: ScalarNode, node: Node, checks: Checks): WrittenPool {
  const { document } = scope;
  const name = key.text;
  const map = readMap(document, node, `the pool ${name}`, undefined, poolExample(node));
  const fields = new Fields(
    document,
    map ?? { kind: 'map', entries: new Map(), offset: key.offset },
    `the pool ${name}`,
    POOL_KEYS,
  );
  const checkNode = fields.node('check');
  // "none" is what people write who want to say that there is no check; a check of that name comes first.
  const unchecked = checkNode?.kind === 'scalar' && checkNode.text === 'none' && !checks.names().includes('none');
  const found = checkNode === undefined || unchecked ? undefined : checks.resolve(checkNode, 'check');
  const membersNode = fields.node('members');
  if (map !== undefined && fields.isMissing('members')) {
    document.report('missing-key', key, `the pool ${name} has no members`, 'add members: [ADDRESS, ...]');
  }
  const members = membersNode === undefined ? undefined : readMembers(scope, name, membersNode);
  const probed = found?.check != null && speaks(found.check);
  reportLinkLocal(document, membersNode, members, probed && !scope.checkRules.linkLocal);
  if (checkNode !== undefined && found?.check != null && members?.some(({ family }) => family !== 'name'))
    checks.lintNameless(found.check, checkNode);
  const pool: Pool = {
    name,
    zone: scope.zone,
    at: fields.read('at', readCoordinates) ?? null,
    check: found?.check ?? null,
    pick: fields.choice('pick', ['weighted', 'ordered', 'sticky'] as const) ?? 'weighted',
    minLive: fields.read('min-live', readMinLive) ?? { kind: 'count', count: 1 },
    members: members ?? [],
    bias: fields.read('bias', readBias) ?? 1,
    shed: fields.read('shed', readShed) ?? null,
  };
  return {
    pool,
    document,
    offset: key.offset,
    minLiveOffset: fields.node('min-live')?.offset ?? key.offset,
    atOffset: fields.node('at')?.offset ?? key.offset,
    atBroken: pool.at === null && !fields.isMissing('at'),
    membersOffset: membersNode?.offset ?? key.offset,
    usesCommonCheck: found?.common === true,
    broken: members === undefined,
  };
}

/** Whether a check sends anything to its members. */
function speaks({ probe }: Check): boolean {
  return probe.kind === 'combined' ? probe.of.some(speaks) : 'port' in probe;
}

/** @param forbidden whether the pool's check would probe them, and may not */
function reportLinkLocal(
  document: Document,
  node: Node | undefined,
  members: readonly Member[] | undefined,
  forbidden: boolean,
): void {
  if (node?.kind !== 'list') return;
  // Members are as many as items, or there are none.
  for (const [i, member] of (members ?? []).entries()) {
    if (!forbidden) {
      if (member.family === 'name' || !isLinkLocalUnicast(member.bytes)) continue;
      const message = `${member.address} is a link-local address, which means nothing to clients elsewhere`;
      document.report('unusable-address', node.items[i]!, message, 'write the address of the backend');
      continue;
    }
    if (!isLinkLocalText(member.address)) continue;
    const message = `${member.address} is a link-local or metadata address, which checks may not probe`;
    const fix = 'use another address, take the check away, or set health: { link-local: true } in meridian.yaml';
    document.report('link-local', node.items[i]!, message, fix);
  }
}

/** `[latitude, longitude]` in degrees. */
function readCoordinates(document: Document, node: Node, what: string): Coordinates | undefined {
  const list = readList(document, node, what);
  if (list === undefined) return undefined;
  if (list.items.length !== 2) {
    const fix = 'write [latitude, longitude] in degrees, such as [55.75, 37.62]';
    document.report('wrong-shape', node, 'at is two numbers: latitude and longitude', fix);
    return undefined;
  }
  const swapped = swappedFix(list.items[0]!, list.items[1]!);
  if (swapped !== null) {
    const message = `the latitude is ${(list.items[0] as ScalarNode).text}, but must be from -90 to 90`;
    document.report('out-of-range', list.items[0]!, message, swapped);
    return undefined;
  }
  const latitude = readDecimal(document, list.items[0]!, 'the latitude', -90, 90);
  const longitude = readDecimal(document, list.items[1]!, 'the longitude', -180, 180);
  return latitude === undefined || longitude === undefined ? undefined : [latitude, longitude];
}

function readMinLive(document: Document, node: Node, what: string): Pool['minLive'] | undefined {
  const scalar = readScalar(document, node, what, 'a count or a percentage');
  if (scalar === undefined) return undefined;
  if (!scalar.text.endsWith('%')) {
    const count = readWhole(document, node, what, 1, limits.membersPerPool);
    return count === undefined ? undefined : { kind: 'count', count };
  }
  const match = /^([1-9][0-9]?|100)%$/.exec(scalar.text);
  if (match !== null) return { kind: 'percent', percent: Number(match[1]) };
  document.report(
    'bad-value',
    scalar,
    `${what} cannot be "${scalar.text}"`,
    'write a count, or a percentage from "1%" to "100%"',
  );
  return undefined;
}

function readBias(document: Document, node: Node, what: string): number | undefined {
  const bias = readDecimal(document, node, what, 0, limits.poolBias);
  if (bias !== 0) return bias;
  document.report(
    'out-of-range',
    node,
    'bias cannot be 0: no distance would count any more',
    'write a factor such as 0.8 or 1.5',
  );
  return undefined;
}

/** `[low, high]`, both from 0 to 1. */
function readShed(document: Document, node: Node, what: string): readonly [number, number] | undefined {
  const list = readList(document, node, what);
  if (list === undefined) return undefined;
  if (list.items.length !== 2) {
    document.report('wrong-shape', node, 'shed is two marks: low and high', 'write [low, high], such as [0.7, 0.95]');
    return undefined;
  }
  const low = readDecimal(document, list.items[0]!, 'the low mark', 0, 1);
  const high = readDecimal(document, list.items[1]!, 'the high mark', 0, 1);
  if (low === undefined || high === undefined) return undefined;
  if (low < high) return [low, high];
  document.report('out-of-range', node, 'the low mark of shed must be below the high mark', `write [${high}, ${low}]`);
  return undefined;
}

function readMembers(scope: Scope, pool: string, node: Node): Member[] | undefined {
  const { document } = scope;
  const list = readList(document, node, 'members');
  if (list === undefined) return undefined;
  if (list.items.length === 0)
    document.report('no-values', node, `the pool ${pool} has no members`, 'add at least one address');
  if (list.items.length > limits.membersPerPool) {
    const message = `${list.items.length} members; at most ${limits.membersPerPool} are read`;
    document.report('too-many', node, message, 'split the pool');
    return undefined;
  }
  const members: Member[] = [];
  const seen = new Map<string, number>();
  const named = new Set<string>();
  for (const item of list.items) {
    const member = readMember(scope, item);
    if (member === undefined) continue;
    const earlier = seen.get(member.address);
    if (earlier !== undefined) {
      const message = `${member.address} is a member already, on line ${document.position(earlier).line}`;
      document.report('duplicate-member', item, message, 'keep one; to give it more clients, raise its weight');
      continue;
    }
    seen.set(member.address, item.offset);
    const first = members[0];
    if (first !== undefined && (first.family === 'name') !== (member.family === 'name')) {
      const message = 'a pool holds either addresses (for A and AAAA) or names (for CNAME)';
      document.report('mixed-members', item, message, 'move the names into a pool of their own');
      continue;
    }
    const called = `${member.family} ${member.stickyName}`;
    if (named.has(called)) {
      const message = `another member of the same family is called ${member.stickyName} too`;
      document.report('shared-name', item, message, 'name is for the two addresses, IPv4 and IPv6, of one machine');
    }
    named.add(called);
    members.push(member);
  }
  return members.length < list.items.length ? undefined : members;
}

function readMember(scope: Scope, node: Node): Member | undefined {
  const { document } = scope;
  if (node.kind === 'scalar') return buildMember(scope, node, 1, null, null);
  const map = readMap(document, node, 'a member', 'an address or a map', '{ address: 192.0.2.1, weight: 3 }');
  if (map === undefined) return undefined;
  const fields = new Fields(document, map, 'a member', MEMBER_KEYS);
  const weight = fields.has('weight') ? fields.whole('weight', 0, limits.weight) : 1;
  const capacity = fields.has('capacity') ? fields.read('capacity', readCapacity) : null;
  const nameNode = fields.node('name');
  const name = nameNode === undefined ? undefined : readScalar(document, nameNode, 'name');
  if (name?.text === '') document.report('bad-value', name, 'an empty name', 'write a name, or remove it');
  const address = fields.require('address', '192.0.2.1', readScalar);
  if (address === undefined || weight === undefined || capacity === undefined) return undefined;
  return buildMember(scope, address, weight, name?.text ?? null, capacity);
}

function readCapacity(document: Document, node: Node, what: string): number | undefined {
  const capacity = readDecimal(document, node, what, 0, limits.memberCapacity);
  if (capacity !== 0) return capacity;
  document.report('out-of-range', node, 'a capacity of 0 can serve nobody', 'write a number above 0, or weight: 0');
  return undefined;
}

function buildMember(
  scope: Scope,
  scalar: ScalarNode,
  weight: number,
  name: string | null,
  capacity: number | null,
): Member | undefined {
  const address = parseAddress(scalar.text);
  if (address !== undefined) {
    lintMemberAddress(scope.document, scalar, address);
    const text = formatAddress(address);
    return { address: text, family: address.family, bytes: address.bytes, weight, stickyName: name ?? text, capacity };
  }
  if (!looksLikeName(scalar.text)) {
    reportBadAddress(scope.document, scalar);
    return undefined;
  }
  const wire = parseScalarName(scope, scalar, 'a member');
  if (wire === undefined) return undefined;
  const text = nameToText(lowerName(wire));
  return { address: text, family: 'name', bytes: wire, weight, stickyName: name ?? text, capacity };
}

/** Digits and dots, colons, a slash, digits at the end (which no top-level domain is): somebody meant an address. */
function looksLikeName(text: string): boolean {
  return text !== '' && !/(?:^|\.)[0-9]+$/.test(text) && !/^[0-9.]+$/.test(text) && !/[:/\s]/.test(text);
}

/** The families that a pool has members of. */
export function familiesOf(pool: Pool): Set<MemberFamily> {
  return new Set(pool.members.map((member) => member.family));
}

/** A distance such as `50km` in kilometres. */
export function readKilometres(document: Document, node: Node, what: string): number | undefined {
  const scalar = readScalar(document, node, what, 'a distance such as 50km');
  if (scalar === undefined) return undefined;
  const match = /^((?:0|[1-9][0-9]*)(?:\.[0-9]+)?)km$/.exec(scalar.text);
  const km = Number(match?.[1]);
  if (match !== null && km <= EARTH_HALF_KM) return km;
  const fix = `write a number from 0 to ${EARTH_HALF_KM} and km, such as 50km`;
  document.report('bad-value', scalar, `${what}: "${scalar.text}" is no distance`, fix);
  return undefined;
}
