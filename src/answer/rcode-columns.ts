// Which counter counts a response code.
import { COUNT } from '../board/counters.ts';
import { RCODE } from '../wire/types.ts';

/** The counter of each response code that is ever given. */
export const RCODE_COLUMNS = new Uint8Array(32).fill(COUNT.servfail);
RCODE_COLUMNS[RCODE.NOERROR] = COUNT.noerror;
RCODE_COLUMNS[RCODE.FORMERR] = COUNT.formerr;
RCODE_COLUMNS[RCODE.NXDOMAIN] = COUNT.nxdomain;
RCODE_COLUMNS[RCODE.NOTIMP] = COUNT.notimp;
RCODE_COLUMNS[RCODE.REFUSED] = COUNT.refused;
RCODE_COLUMNS[RCODE.BADVERS] = COUNT.badvers;
