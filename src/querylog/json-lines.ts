// The query log as JSON lines: one object a query, its keys always the same and in this order.
import { formatAddress } from '../base/address.ts';
import { nameToText } from '../wire/name.ts';
import { ECS_IPV4, HEADER_BYTES, Query } from '../wire/query.ts';
import { CLASS, EDNS_OPTION, OPCODE, rcodeToText, typeToText } from '../wire/types.ts';
import type { Format } from './format.ts';
import { type LoggedQuery, SHORT_BITS } from './logged-query.ts';
import { eachOption, extendedRcode, findOpts } from './opt-record.ts';

/** Bits of the header's third and fourth octet (RFC 1035 4.1.1, RFC 4035 3.2), and their names as dig has them. */
const RESPONSE_FLAGS = [
  [2, 0x04, 'aa'],
  [2, 0x02, 'tc'],
] as const;
const REQUEST_FLAGS = [
  [2, 0x01, 'rd'],
  [3, 0x20, 'ad'],
  [3, 0x10, 'cd'],
] as const;

export class JsonLines implements Format {
  readonly begin = EMPTY;
  readonly end = EMPTY;
  readonly #short: boolean;
  readonly #query = new Query();

  /** @param short addresses are those of networks, /24 and /56 */
  constructor(short: boolean) {
    this.#short = short;
  }

  record(logged: LoggedQuery): Buffer {
    return Buffer.from(`${JSON.stringify(this.#line(logged))}\n`);
  }

  #line(logged: LoggedQuery): Record<string, unknown> {
    const { request, response } = logged;
    const query = this.#query;
    query.read(request, 0, request.length);
    const answered = response.length > 0;
    const opt = answered ? findOpts(response)?.[0] : undefined;
    const hasName = query.name.length > 0;
    const isQuery = query.opcode === OPCODE.QUERY;
    return {
      time: new Date(logged.timeMs).toISOString(),
      client: this.#client(logged),
      ...(this.#short ? {} : { port: logged.port }),
      transport: logged.tcp ? 'tcp' : 'udp',
      ...(isQuery ? {} : { opcode: query.opcode }),
      name: hasName ? nameToText(request, HEADER_BYTES) : null,
      type: hasName ? typeToText(query.type) : null,
      ...(hasName && query.class !== CLASS.IN ? { class: CLASS_NAMES[query.class] ?? `CLASS${query.class}` } : {}),
      flags: [
        ...(answered ? flagsOf(RESPONSE_FLAGS, response) : []),
        ...flagsOf(REQUEST_FLAGS, request),
        ...(query.dnssecOk ? ['do'] : []),
      ],
      ecs: query.ecs ? this.#subnet(query) : null,
      rcode: answered ? rcodeToText(rcodeOf(response, opt)) : null,
      zone: logged.zone?.name ?? null,
      region: logged.region,
      pool: logged.pool,
      answers: answered ? (response[6]! << 8) | response[7]! : 0,
      size: response.length,
      scope: scopeOf(response, opt),
      ...(logged.transfer ? { transfer: true } : {}),
    };
  }

  #client({ family, address }: LoggedQuery): string {
    const text = formatAddress({ family, bytes: address });
    return this.#short ? `${text}/${SHORT_BITS[family]}` : text;
  }

  #subnet({ ecsFamily, ecsSource, ecs0, ecs1, ecs2, ecs3 }: Query): string {
    const family = ecsFamily === ECS_IPV4 ? 4 : 6;
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of [ecs0, ecs1, ecs2, ecs3].entries()) view.setInt32(i * 4, word);
    const length = this.#short ? Math.min(ecsSource, SHORT_BITS[family]) : ecsSource;
    // What asks for "no subnet" has no family (RFC 7871 7.1.2).
    if (ecsFamily === 0) return '0/0';
    return `${formatAddress({ family, bytes: family === 4 ? bytes.subarray(0, 4) : bytes })}/${length}`;
  }
}

const EMPTY = Buffer.alloc(0);
const CLASS_NAMES: Readonly<Record<number, string>> = {
  [CLASS.CH]: 'CH',
  [CLASS.HS]: 'HS',
  [CLASS.NONE]: 'NONE',
  [CLASS.ANY]: 'ANY',
};

function flagsOf(
  flags: readonly (readonly [octet: number, bit: number, name: string])[],
  message: Uint8Array,
): string[] {
  return flags.filter(([octet, bit]) => (message[octet]! & bit) !== 0).map(([, , name]) => name);
}

/** With its upper bits, which the OPT record has (RFC 6891 6.1.3). */
function rcodeOf(response: Uint8Array, opt: number | undefined): number {
  const low = response[3]! & 15;
  return opt === undefined ? low : low | (extendedRcode(response, opt) << 4);
}

/** The scope prefix length that was told; null: none. */
function scopeOf(response: Uint8Array, opt: number | undefined): number | null {
  let scope: number | null = null;
  if (opt === undefined) return null;
  eachOption(response, opt, (code, from, end) => {
    if (code === EDNS_OPTION.ECS && end >= from + 4) scope = response[from + 3]!;
  });
  return scope;
}
