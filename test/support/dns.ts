// DNS messages for tests: built byte by byte with anything in them, parsed strictly, sent over UDP and TCP.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { decode } from 'dns-packet';

export const TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  TLSA: 52,
  HTTPS: 65,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILA: 254,
  ANY: 255,
  CAA: 257,
};
const RCODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
];

export interface Option {
  readonly code: number;
  readonly data: Uint8Array;
}

export interface EdnsFields {
  readonly udpSize?: number;
  readonly version?: number;
  readonly extendedRcode?: number;
  /** The 16 bits behind the version; 0x8000 is DO. */
  readonly flags?: number;
  readonly options?: readonly Option[];
  /** Instead of the options: RDATA as it is. */
  readonly rdata?: Uint8Array;
  /** The owner's name; the root where absent. */
  readonly owner?: Uint8Array;
}

export interface QueryFields {
  readonly id?: number;
  readonly name?: string | Uint8Array;
  readonly type?: string | number;
  readonly class?: number;
  readonly opcode?: number;
  /** The header's third and fourth byte, over everything else. */
  readonly flags?: number;
  readonly rd?: boolean;
  readonly edns?: EdnsFields | null;
  /** Counts of the header instead of the true ones. */
  readonly counts?: {
    readonly questions?: number;
    readonly answers?: number;
    readonly authorities?: number;
    readonly additionals?: number;
  };
  /** How often the question stands there. */
  readonly questions?: number;
  /** Records behind the question and before the OPT, as bytes, and the section counts they add. */
  readonly answers?: readonly Uint8Array[];
  readonly authorities?: readonly Uint8Array[];
  readonly additionals?: readonly Uint8Array[];
  readonly trailing?: Uint8Array;
}

let lastId = 1;

/** A query's bytes; everything that isn't given is what a plain resolver sends. */
export function query(fields: QueryFields = {}): Buffer {
  lastId = (lastId + 7919) & 0xffff;
  const id = fields.id ?? lastId;
  const name =
    typeof fields.name === 'string' || fields.name === undefined ? wireName(fields.name ?? '.') : fields.name;
  const question = Buffer.concat([name, u16(typeNumber(fields.type ?? 'A')), u16(fields.class ?? 1)]);
  const questions = Array.from({ length: fields.questions ?? 1 }, () => question);
  const answers = fields.answers ?? [];
  const authorities = fields.authorities ?? [];
  const additionals = [...(fields.additionals ?? [])];
  if (fields.edns) additionals.push(optRecord(fields.edns));
  const flags = fields.flags ?? ((fields.opcode ?? 0) << 11) | (fields.rd ? 0x100 : 0);
  const counts = [
    fields.counts?.questions ?? questions.length,
    fields.counts?.answers ?? answers.length,
    fields.counts?.authorities ?? authorities.length,
    fields.counts?.additionals ?? additionals.length,
  ];
  return Buffer.concat([
    u16(id),
    u16(flags),
    ...counts.map(u16),
    ...questions,
    ...answers,
    ...authorities,
    ...additionals,
    fields.trailing ?? Buffer.alloc(0),
  ]);
}

export function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function u32(value: number): Buffer {
  return Buffer.concat([u16(value >>> 16), u16(value & 0xffff)]);
}

function typeNumber(type: string | number): number {
  if (typeof type === 'number') return type;
  const number = TYPES[type] ?? (/^TYPE\d+$/.test(type) ? Number(type.slice(4)) : undefined);
  if (number === undefined) throw new Error(`no type ${type}`);
  return number;
}

/** `www.Net.cat.` as wire bytes; the final dot may be missing; `\ddd` and `\.` as in master files. */
export function wireName(text: string): Buffer {
  const labels: number[][] = [[]];
  for (let i = 0; i < text.length; i++) {
    const rest = text.slice(i);
    const decimal = /^\\([0-9]{3})/.exec(rest);
    if (decimal) {
      labels.at(-1)!.push(Number(decimal[1]));
      i += 3;
    } else if (rest.startsWith('\\')) labels.at(-1)!.push(text.charCodeAt(++i));
    else if (text[i] === '.') labels.push([]);
    else labels.at(-1)!.push(text.charCodeAt(i));
  }
  const bytes = labels.filter((label) => label.length > 0).flatMap((label) => [label.length, ...label]);
  return Buffer.from([...bytes, 0]);
}

export function optRecord(edns: EdnsFields): Buffer {
  const rdata =
    edns.rdata ??
    Buffer.concat((edns.options ?? []).flatMap((o) => [u16(o.code), u16(o.data.length), Buffer.from(o.data)]));
  return Buffer.concat([
    edns.owner ?? Buffer.from([0]),
    u16(TYPES.OPT!),
    u16(edns.udpSize ?? 1232),
    Buffer.from([edns.extendedRcode ?? 0, edns.version ?? 0]),
    u16(edns.flags ?? 0),
    u16(rdata.length),
    rdata,
  ]);
}

/** A record's bytes, for the sections of odd queries. */
export function record(name: string, type: string | number, rdata: Uint8Array, ttl = 0, recordClass = 1): Buffer {
  return Buffer.concat([wireName(name), u16(typeNumber(type)), u16(recordClass), u32(ttl), u16(rdata.length), rdata]);
}

export const OPTION = { NSID: 3, ECS: 8, COOKIE: 10, KEEPALIVE: 11, PADDING: 12, EDE: 15 } as const;

/** A client subnet option; `address` is cut to the octets that the source needs, unless `octets` says how many. */
export function ecs(
  text: string,
  fields: { family?: number; scope?: number; octets?: number; source?: number } = {},
): Option {
  const [address = '', length = '0'] = text.split('/');
  const source = fields.source ?? Number(length);
  const bytes = addressBytes(address);
  const octets = fields.octets ?? Math.ceil(source / 8);
  const padded = Buffer.concat([bytes, Buffer.alloc(64)]).subarray(0, octets);
  const family = fields.family ?? (bytes.length === 4 ? 1 : 2);
  return { code: OPTION.ECS, data: Buffer.concat([u16(family), Buffer.from([source, fields.scope ?? 0]), padded]) };
}

export function addressBytes(text: string): Buffer {
  if (text.includes('.')) return Buffer.from(text.split('.').map(Number));
  const [left = '', right] = text.split('::') as [string, string?];
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((g) => Number.parseInt(g, 16)));
  const head = groups(left);
  const tail = groups(right ?? '');
  const middle = right === undefined ? [] : Array<number>(8 - head.length - tail.length).fill(0);
  return Buffer.concat([...head, ...middle, ...tail].map(u16));
}

// ---- Parsing ----------------------------------------------------------------------------------------------------------

export interface ResourceRecord {
  /** With its final dot, in the case on the wire. */
  readonly name: string;
  readonly type: string;
  readonly class: number;
  readonly ttl: number;
  /** Addresses, names and texts in presentation form, everything else in hexadecimal. */
  readonly data: string;
}

export interface ParsedOpt {
  readonly udpSize: number;
  readonly version: number;
  readonly flags: number;
  readonly options: readonly Option[];
}

export interface Reply {
  readonly bytes: Buffer;
  readonly id: number;
  readonly qr: boolean;
  readonly opcode: number;
  readonly aa: boolean;
  readonly tc: boolean;
  readonly rd: boolean;
  readonly ra: boolean;
  readonly ad: boolean;
  readonly cd: boolean;
  /** With the upper bits of the OPT. */
  readonly rcode: string;
  readonly questions: readonly { readonly name: string; readonly type: string; readonly class: number }[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  readonly opt: ParsedOpt | null;
}

function typeText(type: number): string {
  return Object.keys(TYPES).find((name) => TYPES[name] === type) ?? `TYPE${type}`;
}

/** Reads a name at `at`; pointers must go backwards. Returns it and the offset behind it. */
function readName(bytes: Buffer, at: number): { name: string; end: number } {
  let text = '';
  let p = at;
  let end = -1;
  let before = at;
  for (;;) {
    const length = bytes.readUInt8(p);
    if (length === 0) return { name: text === '' ? '.' : text, end: end < 0 ? p + 1 : end };
    if (length >= 0xc0) {
      const target = bytes.readUInt16BE(p) & 0x3fff;
      if (target >= before || target < 12) throw new Error(`pointer at ${p} to ${target}`);
      if (end < 0) end = p + 2;
      before = target;
      p = target;
      continue;
    }
    if (length > 63) throw new Error(`label type at ${p}`);
    const label = bytes.subarray(p + 1, p + 1 + length);
    if (label.length < length) throw new Error('a label ends behind the message');
    for (const octet of label) {
      const plain = octet > 0x20 && octet < 0x7f && octet !== 0x2e && octet !== 0x5c;
      text += plain
        ? String.fromCharCode(octet)
        : octet === 0x2e || octet === 0x5c
          ? `\\${String.fromCharCode(octet)}`
          : `\\${String(octet).padStart(3, '0')}`;
    }
    text += '.';
    if (text.length > 1100) throw new Error('a name without end');
    p += 1 + length;
  }
}

function rdataText(bytes: Buffer, type: number, at: number, length: number): string {
  const nameAt = (p: number): string => {
    const { name, end } = readName(bytes, p);
    if (end > at + length) throw new Error('a name leaves its RDATA');
    return name;
  };
  const data = bytes.subarray(at, at + length);
  switch (type) {
    case 1:
      if (length !== 4) throw new Error('an A record that is no address');
      return [...data].join('.');
    case 28:
      if (length !== 16) throw new Error('an AAAA record that is no address');
      return Array.from({ length: 8 }, (_, i) => data.readUInt16BE(i * 2).toString(16)).join(':');
    case 2:
    case 5:
    case 12:
      return nameAt(at);
    case 15:
      return `${data.readUInt16BE(0)} ${nameAt(at + 2)}`;
    case 33:
      return `${data.readUInt16BE(0)} ${data.readUInt16BE(2)} ${data.readUInt16BE(4)} ${nameAt(at + 6)}`;
    case 6: {
      const mname = readName(bytes, at);
      const rname = readName(bytes, mname.end);
      if (rname.end + 20 !== at + length) throw new Error('a SOA of the wrong length');
      const numbers = [0, 4, 8, 12, 16].map((o) => bytes.readUInt32BE(rname.end + o));
      return `${mname.name} ${rname.name} ${numbers.join(' ')}`;
    }
    case 16: {
      const texts: string[] = [];
      for (let p = 0; p < length; p += 1 + data[p]!)
        texts.push(`"${data.toString('latin1', p + 1, p + 1 + data[p]!)}"`);
      return texts.join(' ');
    }
    default:
      return data.toString('hex');
  }
}

/** Parses a response strictly: anything that doesn't add up throws, and dns-packet must be able to read it as well. */
export function parse(bytes: Buffer): Reply {
  const flags = bytes.readUInt16BE(2);
  let p = 12;
  const questions = Array.from({ length: bytes.readUInt16BE(4) }, () => {
    const { name, end } = readName(bytes, p);
    p = end + 4;
    return { name, type: typeText(bytes.readUInt16BE(end)), class: bytes.readUInt16BE(end + 2) };
  });
  let opt: ParsedOpt | null = null;
  let extendedRcode = 0;
  const section = (count: number, additional: boolean): ResourceRecord[] => {
    const records: ResourceRecord[] = [];
    for (let i = 0; i < count; i++) {
      const { name, end } = readName(bytes, p);
      const type = bytes.readUInt16BE(end);
      const length = bytes.readUInt16BE(end + 8);
      const at = end + 10;
      p = at + length;
      if (p > bytes.length) throw new Error('RDATA ends behind the message');
      if (type === TYPES.OPT) {
        if (!additional || opt !== null || name !== '.') throw new Error('an OPT that is out of place');
        extendedRcode = bytes[end + 4]!;
        opt = {
          udpSize: bytes.readUInt16BE(end + 2),
          version: bytes[end + 5]!,
          flags: bytes.readUInt16BE(end + 6),
          options: readOptions(bytes.subarray(at, p)),
        };
        continue;
      }
      records.push({
        name,
        type: typeText(type),
        class: bytes.readUInt16BE(end + 2),
        ttl: bytes.readUInt32BE(end + 4),
        data: rdataText(bytes, type, at, length),
      });
    }
    return records;
  };
  const answers = section(bytes.readUInt16BE(6), false);
  const authorities = section(bytes.readUInt16BE(8), false);
  const additionals = section(bytes.readUInt16BE(10), true);
  if (p !== bytes.length) throw new Error(`${bytes.length - p} bytes behind the last record`);
  decode(bytes);
  const rcode = (extendedRcode << 4) | (flags & 15);
  return {
    bytes,
    id: bytes.readUInt16BE(0),
    qr: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    aa: (flags & 0x400) !== 0,
    tc: (flags & 0x200) !== 0,
    rd: (flags & 0x100) !== 0,
    ra: (flags & 0x80) !== 0,
    ad: (flags & 0x20) !== 0,
    cd: (flags & 0x10) !== 0,
    rcode: RCODES[rcode] ?? (rcode === 16 ? 'BADVERS' : rcode === 23 ? 'BADCOOKIE' : `RCODE${rcode}`),
    questions,
    answers,
    authorities,
    additionals,
    opt,
  };
}

function readOptions(rdata: Buffer): Option[] {
  const options: Option[] = [];
  for (let p = 0; p < rdata.length; ) {
    const length = rdata.readUInt16BE(p + 2);
    if (p + 4 + length > rdata.length) throw new Error('an option ends behind the OPT');
    options.push({ code: rdata.readUInt16BE(p), data: rdata.subarray(p + 4, p + 4 + length) });
    p += 4 + length;
  }
  return options;
}

/** The data of an option of the response's OPT. */
export function optionOf(reply: Reply, code: number): Buffer | undefined {
  const found = reply.opt?.options.filter((o) => o.code === code) ?? [];
  if (found.length > 1) throw new Error(`option ${code} stands there twice`);
  return found[0] === undefined ? undefined : Buffer.from(found[0].data);
}

// ---- Sending ----------------------------------------------------------------------------------------------------------

export interface Server {
  readonly host: string;
  readonly port: number;
}

/** Sends one datagram; the raw answer, or null when none came within `timeoutMs`. */
export function sendUdp(server: Server, bytes: Uint8Array, timeoutMs = 3000): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => done(null), timeoutMs);
    const done = (answer: Buffer | null): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.on('message', (answer) => done(answer));
    socket.send(bytes, server.port, server.host);
  });
}

/** Sends one message over a connection of its own; null when the server closed it or was silent. */
export function sendTcp(server: Server, bytes: Uint8Array, timeoutMs = 3000): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.host, port: server.port });
    let held = Buffer.alloc(0);
    const done = (answer: Buffer | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done(null), timeoutMs);
    socket.on('error', () => done(null));
    socket.on('close', () => done(null));
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk]);
      if (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) done(held.subarray(2, 2 + held.readUInt16BE(0)));
    });
    socket.write(Buffer.concat([u16(bytes.length), bytes]));
  });
}

/** Asks and parses; throws when no answer comes, or one to another question. */
export async function ask(server: Server, fields: QueryFields & { readonly tcp?: boolean }): Promise<Reply> {
  const bytes = query(fields);
  const answer = await (fields.tcp ? sendTcp(server, bytes) : sendUdp(server, bytes));
  if (answer === null) throw new Error(`no answer to ${JSON.stringify(fields)}`);
  const reply = parse(answer);
  if (reply.id !== bytes.readUInt16BE(0) || !reply.qr) throw new Error('an answer to something else');
  return reply;
}

/** Asks many over one socket, some at a time; answers in the order of the questions. */
export async function askMany(
  server: Server,
  questions: readonly QueryFields[],
  window = 50,
  timeoutMs = 30_000,
): Promise<Reply[]> {
  const socket = createSocket(server.host.includes(':') ? 'udp6' : 'udp4');
  const replies: Reply[] = [];
  let next = 0;
  let got = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const sent = new Map<number, number>();
      const sendNext = (): void => {
        if (next >= questions.length) return;
        const id = next & 0xffff;
        sent.set(id, next);
        socket.send(query({ ...questions[next]!, id }), server.port, server.host);
        next++;
      };
      const timer = setTimeout(() => reject(new Error(`${questions.length - got} answers missing`)), timeoutMs);
      socket.on('error', reject);
      socket.on('message', (bytes) => {
        try {
          const index = sent.get(bytes.readUInt16BE(0));
          if (index === undefined) return;
          sent.delete(bytes.readUInt16BE(0));
          replies[index] = parse(bytes);
          got++;
        } catch (error) {
          reject(error as Error);
        }
        if (got === questions.length) {
          clearTimeout(timer);
          resolve();
        } else sendNext();
      });
      for (let i = 0; i < window; i++) sendNext();
    });
  } finally {
    socket.close();
  }
  return replies;
}
