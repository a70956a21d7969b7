// What a TLS server may send for one probe: records are counted before OpenSSL works on them, since key updates and tickets never show as data.
import { limits } from '../base/limits.ts';
import { Gate, Headers } from './gate.ts';

/** RFC 8446 5.1: type, version, length. */
const HEADER_BYTES = 5;

export class RecordGate extends Gate {
  readonly #headers = new Headers(HEADER_BYTES);
  #records = 0;
  #tickets = 0;

  override refill(): void {
    super.refill();
    this.#records = 0;
    this.#tickets = 0;
  }

  /** A ticket for a session came, several of which may share a record; whether that is still in order. */
  ticket(): boolean {
    return ++this.#tickets <= limits.probeTickets;
  }

  protected override count(chunk: Buffer): string | null {
    return this.#headers.read(chunk, (header) =>
      ++this.#records > limits.probeTlsRecords ? 'too many TLS records' : header.readUInt16BE(3),
    );
  }
}
