// Types of the toy responder, which workers load as plain JavaScript.
import type { Responder, TransferHandler } from '../../src/answer/port.ts';

export const TOY: { readonly echo: 0; readonly silence: 1; readonly peer: 2; readonly large: 3; readonly transfer: 4 };

export class ToyResponder implements Responder {
  readonly peer: Responder['peer'];
  readonly transfer?: TransferHandler;
  batches: number;
  inBatch: boolean;
  misused: number;
  constructor(transfer?: TransferHandler);
  respond: Responder['respond'];
  readNext: Responder['readNext'];
  lookAhead: Responder['lookAhead'];
  answer: Responder['answer'];
  beginBatch: Responder['beginBatch'];
  endBatch: Responder['endBatch'];
  readonly isTimed: boolean;
  took: Responder['took'];
}
