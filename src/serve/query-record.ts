// What a data thread notes of one query for the query log: the words of a record in a ring, then the bytes of request and response.

/** Words of a record by name; -1 where there is no such number. Request and response follow, each begins at a word. */
export const RECORD = {
  length: 0,
  /** Wall clock of the batch: Unix seconds, and milliseconds of that second. */
  seconds: 1,
  milliseconds: 2,
  /** TRANSPORT_* */
  transport: 3,
  /** The peer: 4 or 6, its address as in `Peer`, and its port. */
  family: 4,
  address: 5,
  port: 9,
  /** The number of the zone that was asked. */
  zone: 10,
  /** The last steered set of the answer: number of its zone, of its steering, slot of the client's list, number of the chosen pool. */
  steeredZone: 11,
  steering: 12,
  slot: 13,
  pool: 14,
  requestBytes: 15,
  /** 0: nothing was answered; RESPOND_BY_TRANSFER: a zone transfer. */
  responseBytes: 16,
  size: 17,
} as const;

/** Words that so many bytes take. */
export function wordsOf(bytes: number): number {
  return (bytes + 3) >> 2;
}
