// Compiles a validated zone into its image (layout in zone/layout.ts) and what the control plane keeps of it.
import type { Prefix } from '../base/address.ts';
import { hashLabel, NAME_HASH_ROOT } from '../base/hash.ts';
import { labelCount, relativeText } from '../wire/name.ts';
import { TYPE } from '../wire/types.ts';
import {
  FLAG_CUT,
  FLAG_WILDCARD,
  HEADER,
  MAGIC,
  NETWORK,
  NODE_CUT,
  NODE_FLAGS,
  NODE_SETS,
  NODE_WILDCARD,
  SET_BYTES,
  SET_COUNT,
  SET_DATA,
  SET_STEERED,
  SET_TYPE,
  SET_WHOAMI,
  SET_WORDS,
} from '../zone/layout.ts';
import type { CompiledZone } from '../zone/meta.ts';
import type { Rdata, StaticSet, SteeredSet, ZoneModel } from '../zone/model.ts';
import { type WrittenRecord, writeRecord } from './compile-records.ts';
import { SteeringCompiler } from './compile-steering.ts';
import { SegmentWriter } from './segment.ts';

interface Node {
  readonly name: Uint8Array;
  readonly sets: (StaticSet | SteeredSet)[];
  /** Word offset in the image. */
  at: number;
}

/** A name as a Map key: one character an octet. */
function nameKey(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1');
}

/** The same hash that `Labels.read` computes for the whole name. */
function hashName(name: Uint8Array): number {
  const starts: number[] = [];
  for (let at = 0; name[at] !== 0; at += name[at]! + 1) starts.push(at);
  return starts.reduceRight((hash, at) => hashLabel(hash, name, at), NAME_HASH_ROOT);
}

/** The data of a zone's SOA with serial 0: linking fills it in. */
function soaRdata(model: ZoneModel): Rdata {
  const { mname, rname, refresh, retry, expire, minimum } = model.soa;
  const bytes = new Uint8Array(mname.length + rname.length + 20);
  bytes.set(mname);
  bytes.set(rname, mname.length);
  const view = new DataView(bytes.buffer);
  const at = mname.length + rname.length;
  [0, refresh, retry, expire, minimum].forEach((value, i) => {
    view.setUint32(at + i * 4, value);
  });
  return { bytes, names: [0, mname.length] };
}

/** Every name that exists in the zone: owners, the apex, and the empty non-terminals between (RFC 4592 2.2.2). */
function collectNodes(model: ZoneModel): Map<string, Node> {
  const nodes = new Map<string, Node>();
  const add = (name: Uint8Array): Node => {
    const key = nameKey(name);
    const known = nodes.get(key);
    if (known) return known;
    const node: Node = { name, sets: [], at: 0 };
    nodes.set(key, node);
    if (name.length > model.apex.length) add(name.subarray(name[0]! + 1));
    return node;
  };
  add(model.apex);
  for (const owner of model.owners) add(owner.name).sets.push(...owner.sets);
  if (model.whoami) {
    const name = Uint8Array.from([6, ...Buffer.from('whoami'), ...model.apex]);
    add(name).sets.push({ kind: 'static', type: TYPE.TXT, ttlSeconds: 0, records: [] });
  }
  const apex = add(model.apex);
  apex.sets.push({
    kind: 'static',
    type: TYPE.NS,
    ttlSeconds: model.ns.ttlSeconds,
    records: model.ns.names.map((bytes) => ({ bytes, names: [0] })),
  });
  apex.sets.push({ kind: 'static', type: TYPE.SOA, ttlSeconds: model.soa.ttlSeconds, records: [soaRdata(model)] });
  return nodes;
}

/** The delegation nearest to the apex at or above a name, or null (RFC 1034 4.3.2 step 3b). */
function cutOf(nodes: Map<string, Node>, name: Uint8Array, apexLength: number): Node | null {
  let cut: Node | null = null;
  for (let n = name; n.length > apexLength; n = n.subarray(n[0]! + 1)) {
    const node = nodes.get(nameKey(n));
    if (node?.sets.some((set) => set.type === TYPE.NS)) cut = node;
  }
  return cut;
}

/** Compiles a zone. Throws only on a programmer's mistake: the model is valid. */
export function compileZone(model: ZoneModel): CompiledZone {
  const out = new SegmentWriter();
  out.reserve(HEADER.size);
  const nodes = collectNodes(model);
  for (const node of nodes.values()) {
    node.at = out.reserve(NODE_SETS + node.sets.length * SET_WORDS);
    out.pushBytes(node.name);
  }
  const hostNode = (name: Uint8Array): number => nodes.get(nameKey(name))?.at ?? 0;
  const steering = new SteeringCompiler(out, model);
  let records = 0;
  for (const node of nodes.values()) {
    const cut = cutOf(nodes, node.name, model.apex.length);
    const star = nodes.get(nameKey(Uint8Array.of(1, 42, ...node.name)));
    const isStar = node.name[0] === 1 && node.name[1] === 42;
    const flags = (cut === node ? FLAG_CUT : 0) | (isStar ? FLAG_WILDCARD : 0);
    out.set(node.at + NODE_FLAGS, flags | (node.name.length << 8) | (node.sets.length << 16));
    out.set(node.at + NODE_CUT, cut?.at ?? 0);
    out.set(node.at + NODE_WILDCARD, star?.at ?? 0);
    node.sets.forEach((set, i) => {
      const at = node.at + NODE_SETS + i * SET_WORDS;
      if (set.kind === 'steered') {
        out.set(at + SET_TYPE, (set.type << 8) | SET_STEERED);
        out.set(at + SET_DATA, steering.steering(set, relativeText(node.name, model.apex)));
        records++;
        return;
      }
      let octets = 0;
      set.records.forEach((rdata, k) => {
        const record = writeRecord(out, set.type, set.ttlSeconds, rdata, model.apex, hostNode);
        octets += record.octets;
        if (k === 0) out.set(at + SET_DATA, record.at);
        if (set.type === TYPE.SOA) {
          out.set(HEADER.soa, record.at);
          out.set(HEADER.serialByte, serialByte(record));
        }
      });
      // No other set is without records.
      out.set(at + SET_TYPE, (set.type << 8) | (set.records.length === 0 ? SET_WHOAMI : 0));
      out.set(at + SET_COUNT, set.records.length);
      out.set(at + SET_BYTES, octets);
      records += set.records.length;
    });
  }
  writeTable(out, nodes);
  writeNegativeSoa(out, model);

  const apexByte = out.pushBytes(model.apex) * 4;
  const members = out.length;
  for (const word of steering.memberWords) out.push(word);
  const allowed = model.transfer?.allow ?? [];
  const networks = out.reserve(allowed.length * NETWORK.size);
  allowed.forEach((network, i) => {
    writeNetwork(out, networks + i * NETWORK.size, network);
  });
  out.set(HEADER.magic, MAGIC);
  out.set(HEADER.apexByte, apexByte);
  out.set(HEADER.apexLength, model.apex.length);
  out.set(HEADER.apexLabels, labelCount(model.apex));
  out.set(HEADER.nodes, nodes.size);
  out.set(HEADER.apexNode, nodes.get(nameKey(model.apex))!.at);
  out.set(HEADER.memberCount, steering.memberWords.length);
  out.set(HEADER.members, members);
  out.set(HEADER.records, records);
  out.set(HEADER.networkCount, allowed.length);
  out.set(HEADER.networks, networks);
  out.set(HEADER.words, out.length);
  return {
    image: out.finish(),
    meta: {
      name: model.name,
      owner: model.owner,
      serial: model.soa.serial,
      targets: steering.targets,
      maps: steering.maps,
      steerings: steering.steerings,
      pools: steering.pools,
      transfer: model.transfer,
      accept: model.accept,
      usesCommon: model.usesCommon,
      names: nodes.size,
      records,
    },
  };
}

function writeNetwork(out: SegmentWriter, at: number, { address, length }: Prefix): void {
  out.set(at + NETWORK.head, address.family | (length << 8));
  const view = new DataView(address.bytes.buffer, address.bytes.byteOffset, address.bytes.byteLength);
  for (let i = 0; i < address.bytes.length / 4; i++) out.set(at + NETWORK.address + i, view.getInt32(i * 4));
}

/** The hash table of all names, at most two thirds full: the whole hash stands in it, so a probe more is a word more. */
function writeTable(out: SegmentWriter, nodes: Map<string, Node>): void {
  let slots = 4;
  while (slots * 2 < nodes.size * 3) slots *= 2;

  const table = out.reserve(slots * 2);
  const used = new Uint8Array(slots);
  for (const node of nodes.values()) {
    const hash = hashName(node.name);
    let slot = hash & (slots - 1);
    while (used[slot] === 1) slot = (slot + 1) & (slots - 1);
    used[slot] = 1;
    out.set(table + slot * 2, hash);
    out.set(table + slot * 2 + 1, node.at);
  }
  out.set(HEADER.table, table);
  out.set(HEADER.tableMask, slots - 1);
}

/** The serial stands 20 octets before the end of SOA data; a written record has 12 octets before its data. */
function serialByte(record: WrittenRecord): number {
  return record.dataByte + record.octets - 12 - 20;
}

/** The SOA of negative answers: RFC 2308 3: its TTL is the lesser of the SOA's own and its minimum. */
function writeNegativeSoa(out: SegmentWriter, model: ZoneModel): void {
  const ttl = Math.min(model.soa.ttlSeconds, model.soa.minimum);
  const record = writeRecord(out, TYPE.SOA, ttl, soaRdata(model), model.apex, () => 0);
  out.set(HEADER.negativeSoa, record.at);
  out.set(HEADER.negativeTtl, ttl);
  out.set(HEADER.negativeSerialByte, serialByte(record));
}
