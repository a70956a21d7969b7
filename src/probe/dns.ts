// The probe for DNS servers: one question, judged by rcode and value, over UDP or TCP.
import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { type Answer, type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { formatAddress, parseAddress } from '../base/address.ts';
import { limits } from '../base/limits.ts';
import { rcodeFromText, rcodeToText, typeFromText } from '../wire/types.ts';
import { withoutFinalDot } from '../wire/zone-name.ts';
import type { DnsCheck } from '../zone/model.ts';
import { converse } from './datagram.ts';
import { failed, failedBy, type Outcome, printable, succeeded } from './outcome.ts';
import type { Attempt, ProbeFunction, ProbeTarget } from './probe.ts';

/**
 * Asks a DNS server. Only an answer to this very question counts: random id, random source port, connected socket.
 * A value that is missing from a truncated answer is looked for over TCP in the same try.
 */
export const probeDns: ProbeFunction<DnsCheck> = async (target, check, attempt) => {
  let query: Buffer;
  const id = randomInt(65_536);
  try {
    const name = withoutFinalDot(check.name);
    query = encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ name, type: 'A', class: 'IN' }] });
    // dns-packet doesn't know all types by name: the last four octets are type and class.
    query.writeUInt16BE(typeFromText(check.type) ?? 0, query.length - 4);
  } catch (error) {
    return failed('question cannot be asked', printable(String(error)));
  }
  if (check.transport === 'tcp') return overTcp(target, check, attempt, query, id);
  let truncated = false;
  const outcome = await converse(target.address, check.port, attempt, {
    datagram: () => query,
    received: (data) => {
      const response = read(data, check, id);
      if (response === undefined) return undefined;
      truncated = response.flag_tc;
      return judge(response, check);
    },
    silent: () => failed('timeout: no answer'),
  });
  return truncated && outcome.reason === 'value does not match' ? overTcp(target, check, attempt, query, id) : outcome;
};

function overTcp(target: ProbeTarget, check: DnsCheck, attempt: Attempt, query: Buffer, id: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.address, port: check.port, noDelay: true });
    let data = Buffer.alloc(0);
    let connected = false;
    const finish = (outcome: Outcome): void => {
      attempt.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const onAbort = (): void =>
      finish(
        failed(
          `timeout: ${!connected ? 'no connection' : data.length === 0 ? 'no answer' : 'answer not complete'}`,
          printable(data),
        ),
      );
    if (attempt.signal.aborted) return onAbort();
    attempt.signal.addEventListener('abort', onAbort);
    socket.on('error', (error) => finish(failedBy(error)));
    socket.on('end', () => finish(failed('connection closed early', printable(data))));
    socket.on('connect', () => {
      connected = true;
      // RFC 7766 8: length and message in one segment.
      socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 0xff]), query]));
    });
    socket.on('data', (chunk: Buffer) => {
      // The two-octet length bounds what is read.
      data = Buffer.concat([data, chunk.subarray(0, limits.messageBytes + 2 - data.length)]);
      if (data.length < 2 || data.length < 2 + data.readUInt16BE(0)) return;
      const response = read(data.subarray(2, 2 + data.readUInt16BE(0)), check, id);
      finish(
        response === undefined ? failed('answer is not for this question', printable(data)) : judge(response, check),
      );
    });
  });
}

/** The answer to our question; undefined for anything else. */
function read(data: Buffer, check: DnsCheck, id: number): DecodedPacket | undefined {
  try {
    const response = decode(data);
    const question = response.questions?.[0];
    if (response.type !== 'response' || response.id !== id) return undefined;
    // RFC 2308 2.1 and many servers: an error may come without the question.
    if (question === undefined) return rcodeOf(response) === 0 ? undefined : response;
    return typeOf(question) === typeFromText(check.type) && sameName(question.name, check.name) ? response : undefined;
  } catch {
    return undefined;
  }
}

function judge(response: DecodedPacket, check: DnsCheck): Outcome {
  const answers = response.answers ?? [];
  const rcode = rcodeToText(rcodeOf(response));
  const evidence = printable(
    `${rcode} ${answers.map((answer) => `${answer.type} ${presentation(answer)}`).join(', ')}`,
  );
  if (rcodeOf(response) !== rcodeFromText(check.expectRcode)) return failed(`rcode ${rcode}`, evidence);
  const { expectValue } = check;
  if (
    expectValue !== null &&
    !answers.some(
      (answer) =>
        typeOf(answer) === typeFromText(check.type) && canonical(presentation(answer)) === canonical(expectValue),
    )
  ) {
    return failed('value does not match', evidence);
  }
  return succeeded(evidence);
}

/** Record data as a master file would say it, for the types that people check. */
function presentation(answer: Answer): string {
  switch (answer.type) {
    case 'TXT': {
      const parts = Array.isArray(answer.data) ? answer.data : [answer.data];
      return parts.map(String).join('');
    }
    case 'MX':
      return `${answer.data.preference ?? 0} ${answer.data.exchange}`;
    case 'SRV':
      return `${answer.data.priority ?? 0} ${answer.data.weight ?? 0} ${answer.data.port} ${answer.data.target}`;
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = answer.data;
      return `${mname} ${rname} ${serial} ${refresh} ${retry} ${expire} ${minimum}`;
    }
    case 'CAA':
      return `${answer.data.flags ?? 0} ${answer.data.tag} ${answer.data.value}`;
    default: {
      const data = 'data' in answer ? answer.data : '';
      return Buffer.isBuffer(data) ? data.toString('hex') : typeof data === 'string' ? data : JSON.stringify(data);
    }
  }
}

/** What counts when values are compared: not the case, the final dots, the quotes or the spelling of an address. */
function canonical(value: string): string {
  const address = parseAddress(value.trim());
  if (address !== undefined) return formatAddress(address);
  return value
    .trim()
    .replaceAll('"', '')
    .split(/\s+/)
    .map((word) => word.toLowerCase().replace(/\.$/, ''))
    .join(' ');
}

/** dns-packet calls what it doesn't know UNKNOWN_n. */
function typeOf(record: { readonly type: string }): number | undefined {
  return typeFromText(record.type.replace('UNKNOWN_', 'TYPE'));
}

/** RFC 1035 4.1.1: the last four bits of the flags. */
function rcodeOf(response: DecodedPacket): number {
  return (response.flags ?? 0) & 0xf;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase().replace(/\.$/, '') === b.toLowerCase().replace(/\.$/, '');
}
