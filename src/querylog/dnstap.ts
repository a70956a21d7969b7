// The query log as dnstap (dnstap.info, dnstap.proto): a frame for each query, and one for each response.

import type { Format } from './format.ts';
import { CONTROL, controlFrame, dataFrame } from './frame-streams.ts';
import type { LoggedQuery } from './logged-query.ts';
import { encodeMessage, type Field } from './protobuf.ts';

/** Numbers of the fields of `Dnstap` and `Message`, and of their enums. */
const DNSTAP = { identity: 1, version: 2, extra: 3, message: 14, type: 15 } as const;
const TYPE_MESSAGE = 1;
const MESSAGE = {
  type: 1,
  socketFamily: 2,
  socketProtocol: 3,
  queryAddress: 4,
  queryPort: 6,
  querySeconds: 8,
  queryNanoseconds: 9,
  queryMessage: 10,
  queryZone: 11,
  responseSeconds: 12,
  responseNanoseconds: 13,
  responseMessage: 14,
} as const;
const AUTH_QUERY = 1;
const AUTH_RESPONSE = 2;
const INET = 1;
const INET6 = 2;
const UDP = 1;
const TCP = 2;

export class Dnstap implements Format {
  readonly begin = controlFrame(CONTROL.start);
  readonly end = controlFrame(CONTROL.stop);
  readonly #identity: Uint8Array;
  readonly #version: Uint8Array;

  constructor(identity: string, version: string) {
    this.#identity = Buffer.from(identity);
    this.#version = Buffer.from(version);
  }

  record(logged: LoggedQuery): Uint8Array {
    const query = this.#frame(logged, AUTH_QUERY);
    return logged.response.length === 0 ? query : Buffer.concat([query, this.#frame(logged, AUTH_RESPONSE)]);
  }

  #frame(logged: LoggedQuery, type: typeof AUTH_QUERY | typeof AUTH_RESPONSE): Uint8Array {
    const { region, pool } = logged;
    const chosen = [region === null ? [] : `region=${region}`, pool === null ? [] : `pool=${pool}`].flat();
    const extra: Field[] =
      type === AUTH_RESPONSE && chosen.length > 0 ? [[DNSTAP.extra, 'bytes', Buffer.from(chosen.join(' '))]] : [];
    return dataFrame(
      encodeMessage([
        [DNSTAP.identity, 'bytes', this.#identity],
        [DNSTAP.version, 'bytes', this.#version],
        ...extra,
        [DNSTAP.message, 'bytes', encodeMessage(messageFields(logged, type))],
        [DNSTAP.type, 'uint', TYPE_MESSAGE],
      ]),
    );
  }
}

function messageFields(logged: LoggedQuery, type: typeof AUTH_QUERY | typeof AUTH_RESPONSE): Field[] {
  const seconds = Math.floor(logged.timeMs / 1000);
  const nanoseconds = (logged.timeMs - seconds * 1000) * 1e6;
  const fields: Field[] = [
    [MESSAGE.type, 'uint', type],
    [MESSAGE.socketFamily, 'uint', logged.family === 4 ? INET : INET6],
    [MESSAGE.socketProtocol, 'uint', logged.tcp ? TCP : UDP],
    [MESSAGE.queryAddress, 'bytes', logged.address],
  ];
  if (logged.port !== 0) fields.push([MESSAGE.queryPort, 'uint', logged.port]);
  fields.push([MESSAGE.querySeconds, 'uint', seconds], [MESSAGE.queryNanoseconds, 'fixed32', nanoseconds]);
  if (type === AUTH_QUERY) fields.push([MESSAGE.queryMessage, 'bytes', logged.request]);
  if (logged.zone !== null) fields.push([MESSAGE.queryZone, 'bytes', logged.zone.apex]);
  if (type === AUTH_RESPONSE) {
    fields.push(
      [MESSAGE.responseSeconds, 'uint', seconds],
      [MESSAGE.responseNanoseconds, 'fixed32', nanoseconds],
      [MESSAGE.responseMessage, 'bytes', logged.response],
    );
  }
  return fields;
}
