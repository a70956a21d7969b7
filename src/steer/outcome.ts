// What the chooser can come to, and what it tells of its way there.

/** `chosen` holds members of `pool`. */
export const CHOSE_MEMBERS = 0;
/** NODATA: the chosen pool has no member of this family, `default: nodata`, `when-all-down: nodata`, or nobody is left. */
export const CHOSE_NODATA = 1;
export const CHOSE_SERVFAIL = 2;

/** How a pool was chosen. */
export const MODE_UP = 0;
/** No pool is up; this one is below its min-live, but has live members. */
export const MODE_BELOW_MIN_LIVE = 1;
/** Nobody is live: it is taken as if it were up. Without a member of the asked family it gives NODATA, and nothing fails open. */
export const MODE_FAIL_OPEN = 2;
/** None was: whoever is on the way up is forced down or drained. */
export const MODE_NOBODY = 3;

/** What explain listens to: the client's whole way up, before anything is chosen. */
export interface ChoiceTrace {
  /** The list at a position of the way, by its slot. */
  list(position: number, slot: number): void;
  /**
   * A pool of that list, in the client's order.
   * @param number the pool's, in the zone
   * @param draw equal for the pools that a draw decides between
   * @param up live members suffice; of a pool without a member of the asked family: those of its other family
   * @param live @param members of the asked family
   */
  pool(number: number, draw: number, up: boolean, live: number, members: number): void;
}
