// What the transports count: one row of doubles for each thread, written by that thread alone and read by the metrics.

/** Names of the columns, in their order; as they stand in the metrics. */
export const SERVE_COUNTERS = [
  'udp_received',
  'udp_sent',
  'udp_silent',
  'udp_port_zero',
  'udp_send_failed',
  'udp_batches',
  'tcp_accepted',
  'tcp_open',
  'tcp_refused_client',
  'tcp_refused_full',
  'tcp_received',
  'tcp_sent',
  'tcp_silent',
  'tcp_transfers',
  'tcp_closed_idle',
  'tcp_closed_garbage',
  'tcp_closed_unread',
  'udp_gathered',
] as const;

export const UDP_RECEIVED = 0;
export const UDP_SENT = 1;
/** The answer path chose to say nothing. */
export const UDP_SILENT = 2;
/** From source port 0, where no answer can go. */
export const UDP_PORT_ZERO = 3;
/** Answers that the kernel didn't take: no route, a firewall, no buffers. */
export const UDP_SEND_FAILED = 4;
export const UDP_BATCHES = 5;
export const TCP_ACCEPTED = 6;
/** Connections open now: the one column that also falls. */
export const TCP_OPEN = 7;
/** Closed at once: the client's network has its `max-connections-per-client`. */
export const TCP_REFUSED_CLIENT = 8;
/** Closed to make room, or at once, at `max-connections`. */
export const TCP_REFUSED_FULL = 9;
export const TCP_RECEIVED = 10;
export const TCP_SENT = 11;
export const TCP_SILENT = 12;
export const TCP_TRANSFERS = 13;
export const TCP_CLOSED_IDLE = 14;
/** Closed for a length that no DNS message has. */
export const TCP_CLOSED_GARBAGE = 15;
/** Closed because the client didn't read its answers. */
export const TCP_CLOSED_UNREAD = 16;
/** Rounds of reading before which the thread gathered, see coalescing.ts. */
export const UDP_GATHERED = 17;

/** A row that nobody shares, for tests and fallbacks. */
export function serveCounters(): Float64Array {
  return new Float64Array(SERVE_COUNTERS.length);
}
