// The client as the guards see it: the packet's source address, never its ECS.

/**
 * An IP address as int32 words, each with the value of its four octets in network order (192.0.2.1 is 0xc0000201 | 0);
 * IPv4 has `w0` only. The transports' peer fits.
 */
export interface ClientAddress {
  readonly family: 4 | 6;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}
