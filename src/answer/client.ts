// The client that an answer is for: the subnet that the query carries, else the resolver that sent it.
import { ECS_IPV4, type Query } from '../wire/query.ts';
import type { Peer } from './port.ts';

export class Client {
  family: 4 | 6 = 4;
  /** The address as int32 words; IPv4 has the first only. A subnet is placed by its first address. */
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  fromSubnet = false;
  /** The geo image's range of an IPv4 address, where it is known already, else -1. */
  range = -1;

  /** RFC 7871 7.1.2: a source prefix of 0 asks not to use the subnet, so the resolver's address decides. `range`: see above. */
  take(query: Query, peer: Peer, range: number): void {
    this.range = range;
    this.fromSubnet = query.ecs && query.ecsSource > 0;
    if (this.fromSubnet) {
      this.family = query.ecsFamily === ECS_IPV4 ? 4 : 6;
      this.w0 = query.ecs0;
      this.w1 = query.ecs1;
      this.w2 = query.ecs2;
      this.w3 = query.ecs3;
    } else {
      this.family = peer.family;
      this.w0 = peer.w0;
      this.w1 = peer.w1;
      this.w2 = peer.w2;
      this.w3 = peer.w3;
    }
  }
}
