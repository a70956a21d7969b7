// The records of a zone as a secondary gets them: everything that stands in the file, steered sets as one fixed pool.
import { ChoiceProbe } from '../steer/probe-choice.ts';
import { TYPE } from '../wire/types.ts';
import type { ZoneView } from '../zone/find.ts';
import {
  HEADER,
  MEMBER_DATA,
  MEMBER_WEIGHT,
  MEMBER_WORDS,
  NODE_SETS,
  POOL,
  SET_COUNT,
  SET_DATA,
  SET_STEERED,
  SET_TYPE,
  SET_WORDS,
  STEER,
  typeOf,
} from '../zone/layout.ts';
import { type Message, SECTION_ANSWER } from './message.ts';
import { nextRecord } from './sections.ts';

/** One record to be written. */
export interface TransferRecord {
  /** Its owner, word in the zone. */
  readonly node: number;
  /** A: `data` is the address; AAAA: byte offset of it; anything else: word of a ready-made record. */
  readonly type: number;
  readonly data: number;
  /** -1: the ready-made record's own. */
  readonly ttlSeconds: number;
}

/** All records of the zone, in the order of the file, with the SOA first and last (RFC 5936 2.2). */
export function* transferRecords(zone: ZoneView): Generator<TransferRecord, void> {
  const soa = { node: zone.at(HEADER.apexNode), type: TYPE.SOA, data: zone.at(HEADER.soa), ttlSeconds: -1 };
  yield soa;
  const probe = new ChoiceProbe(null);
  let node = HEADER.size;
  for (let left = zone.at(HEADER.nodes); left > 0; left--) {
    const sets = zone.setCount(node);
    for (let i = 0; i < sets; i++) yield* recordsOfSet(zone, node, node + NODE_SETS + i * SET_WORDS, probe);
    node += NODE_SETS + sets * SET_WORDS + ((zone.nameLength(node) + 3) >> 2);
  }
  yield soa;
}

/** Occluded sets and glue included (RFC 5936 3.5), the SOA not. */
function* recordsOfSet(zone: ZoneView, node: number, set: number, probe: ChoiceProbe): Generator<TransferRecord, void> {
  const type = typeOf(zone.at(set + SET_TYPE));
  if (type === TYPE.SOA) return;
  if ((zone.at(set + SET_TYPE) & SET_STEERED) !== 0) {
    yield* recordsOfSteering(zone, node, type, zone.at(set + SET_DATA), probe);
    return;
  }
  let record = zone.at(set + SET_DATA);
  for (let left = zone.at(set + SET_COUNT); left > 0; left--) {
    yield { node, type: READY_MADE, data: record, ttlSeconds: -1 };
    record = nextRecord(zone, record);
  }
}

/** A static address is a ready-made record too: no type of its own. */
const READY_MADE = 0;

/** The members of the first pool, whatever their health: a secondary can't follow it. */
function* recordsOfSteering(
  zone: ZoneView,
  node: number,
  type: number,
  steering: number,
  probe: ChoiceProbe,
): Generator<TransferRecord, void> {
  const pool = firstPool(zone, steering, probe);
  if (pool === 0) return;
  const ttlSeconds = zone.at(steering + STEER.ttlMax);
  const all = Array.from({ length: zone.at(pool + POOL.count) }, (_, i) => pool + POOL.members + i * MEMBER_WORDS);
  // Weight 0 serves only when nothing else does.
  const weighted = all.filter((member) => zone.at(member + MEMBER_WEIGHT) > 0);
  const members = weighted.length > 0 ? weighted : all;
  // RFC 2181 10.1: a name has one CNAME.
  for (const member of type === TYPE.CNAME ? members.slice(0, 1) : members) {
    yield { node, type, data: zone.at(member + MEMBER_DATA), ttlSeconds };
  }
}

/** The pool of `default` when everybody is up, else of the list that stands first in the file; 0: there is none. */
function firstPool(zone: ZoneView, steering: number, probe: ChoiceProbe): number {
  const slots = zone.at(steering + STEER.slots);
  let chosen = probe.chooseListed(zone, steering, zone.at(steering + STEER.defaultSlot));
  for (let slot = 0; slot < slots && chosen === null; slot++) chosen = probe.chooseListed(zone, steering, slot);
  return chosen?.pool?.at ?? 0;
}

/** Where the owner stands that was written last into a message: the next record may have the same. */
export interface WrittenOwner {
  node: number;
  offset: number;
}

/**
 * Writes one record behind the others.
 * @param apexOffset where the zone's name stands in the message
 * @param last of this message; kept up to date here
 * Returns false, with nothing written, when it doesn't fit.
 */
export function writeTransferRecord(
  message: Message,
  zone: ZoneView,
  { node, type, data, ttlSeconds }: TransferRecord,
  apexOffset: number,
  last: WrittenOwner,
): boolean {
  const before = message.p;
  let ownerOffset = apexOffset;
  if (node === last.node) ownerOffset = last.offset;
  else {
    // The labels below the apex; the pointer to it is the owner of the record that comes next, and so completes the name.
    const labels = zone.nameLength(node) - zone.apexLength;
    if (before + labels > message.end) return false;
    const from = zone.nameAt(node);
    message.bytes.set(zone.bytes.subarray(from, from + labels), before);
    message.p = before + labels;
  }
  const written =
    type === TYPE.A
      ? message.address4(ownerOffset, ttlSeconds, data)
      : type === TYPE.AAAA
        ? message.address6(ownerOffset, ttlSeconds, zone.bytes, zone.byteBase + data)
        : message.record(zone, data, ownerOffset, apexOffset, ttlSeconds, SECTION_ANSWER);
  if (!written) {
    message.p = before;
    return false;
  }
  if (node !== last.node) {
    last.node = node;
    last.offset = zone.nameLength(node) === zone.apexLength ? apexOffset : before - message.at;
  }
  return true;
}
