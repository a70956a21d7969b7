// The probe for DNS servers: one question, judged by rcode and value, over UDP or TCP.
import { randomInt } from 'node:crypto';
import { connect } from 'node:net';
import { limits } from '../base/limits.ts';
import { parseName, ROOT_NAME } from '../wire/name.ts';
import { parseRdata, rdataToText } from '../wire/rdata.ts';
import {
  type AnswerRecord,
  foldNames,
  type Question,
  queryBytes,
  type Response,
  readResponse,
} from '../wire/response.ts';
import { rcodeFromText, rcodeToText, TYPE, typeFromText, typeToText } from '../wire/types.ts';
import type { DnsCheck } from '../zone/model.ts';
import { converse } from './datagram.ts';
import { failed, failedBy, type Outcome, printable, succeeded } from './outcome.ts';
import type { Attempt, ProbeFunction, ProbeTarget } from './probe.ts';

/**
 * Asks a DNS server. Only an answer to this very question counts: random id, random source port, connected socket.
 * A value that is missing from a truncated answer is looked for over TCP in the same try.
 */
export const probeDns: ProbeFunction<DnsCheck> = async (target, check, attempt) => {
  const name = parseName(check.name, ROOT_NAME);
  if (!name.ok) return failed('question cannot be asked', printable(name.reason));
  const question: Question = { id: randomInt(65_536), name: name.wire, type: typeFromText(check.type) ?? TYPE.A };
  const expected = expectedData(check, question.type);
  if (expected !== null && 'reason' in expected)
    return failed('expect-value cannot be read', printable(expected.reason));
  const judge = (response: Response): Outcome => judgeResponse(response, check, question, expected);
  if (check.transport === 'tcp') return overTcp(target, check, attempt, question, judge);
  const query = queryBytes(question);
  let truncated = false;
  const outcome = await converse(target.address, check.port, attempt, {
    datagram: () => query,
    received: (data) => {
      const response = readResponse(data, question);
      if (response === undefined) return undefined;
      truncated = response.truncated;
      return judge(response);
    },
    silent: () => failed('timeout: no answer'),
  });
  return truncated && outcome.reason === 'value does not match'
    ? overTcp(target, check, attempt, question, judge)
    : outcome;
};

function overTcp(
  target: ProbeTarget,
  check: DnsCheck,
  attempt: Attempt,
  question: Question,
  judge: (response: Response) => Outcome,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: target.address, port: check.port, noDelay: true });
    const query = queryBytes(question);
    const pieces: Buffer[] = [];
    let size = 0;
    let connected = false;
    const finish = (outcome: Outcome): void => {
      attempt.signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const evidence = (): string => printable(Buffer.concat(pieces));
    const onAbort = (): void =>
      finish(
        failed(
          `timeout: ${!connected ? 'no connection' : size === 0 ? 'no answer' : 'answer not complete'}`,
          evidence(),
        ),
      );
    if (attempt.signal.aborted) return onAbort();
    attempt.signal.addEventListener('abort', onAbort);
    socket.on('error', (error) => finish(failedBy(error)));
    socket.on('end', () => finish(failed('connection closed early', evidence())));
    socket.on('connect', () => {
      connected = true;
      // RFC 7766 8: length and message in one segment.
      socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 0xff]), query]));
    });
    socket.on('data', (chunk: Buffer) => {
      if (socket.destroyed) return;
      // The two-octet length bounds what is read.
      pieces.push(chunk.subarray(0, limits.messageBytes + 2 - size));
      size += pieces.at(-1)!.length;
      if (size >= 2 && pieces[0]!.length < 2) pieces.splice(0, pieces.length, Buffer.concat(pieces));
      const wanted = size < 2 ? 2 : 2 + pieces[0]!.readUInt16BE(0);
      if (size < wanted) {
        if (pieces.length >= limits.probeReads) finish(failed('answer in too many pieces', evidence()));
        return;
      }
      const response = size < 2 ? undefined : readResponse(Buffer.concat(pieces).subarray(2, wanted), question);
      finish(response === undefined ? failed('answer is not for this question', evidence()) : judge(response));
    });
  });
}

/** The data that one of the records must have, in the form that compares; null: any. */
function expectedData({ expectValue }: DnsCheck, type: number): Uint8Array | { readonly reason: string } | null {
  if (expectValue === null) return null;
  const read = parseRdata(type, expectValue, ROOT_NAME);
  return read.ok ? comparable(type, read.bytes) : read;
}

function judgeResponse(
  { rcode, answers }: Response,
  check: DnsCheck,
  question: Question,
  expected: Uint8Array | null,
): Outcome {
  const records = answers
    .slice(0, limits.probeShownRecords)
    .map(({ type, data }) => `${typeToText(type)} ${rdataToText(type, data)}`);
  const evidence = printable(`${rcodeToText(rcode)} ${records.join(', ')}`);
  if (rcode !== rcodeFromText(check.expectRcode)) return failed(`rcode ${rcodeToText(rcode)}`, evidence);
  const has = ({ type, data }: AnswerRecord): boolean =>
    type === question.type && Buffer.compare(comparable(type, data), expected!) === 0;
  return expected === null || answers.some(has) ? succeeded(evidence) : failed('value does not match', evidence);
}

/** What counts of a record's data: not the case of its names, and not how a text is cut into strings (RFC 7208 3.3 joins them). */
function comparable(type: number, data: Uint8Array): Uint8Array {
  return type === TYPE.TXT || type === TYPE.SPF ? joinStrings(data) : foldNames(type, data);
}

/** The character strings of a TXT as one text. */
function joinStrings(data: Uint8Array): Uint8Array {
  const strings: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += data[at]! + 1) strings.push(data.subarray(at + 1, at + 1 + data[at]!));
  return Buffer.concat(strings);
}
