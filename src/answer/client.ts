// The client that an answer is for: the subnet that the query carries, else the resolver that sent it.
import { embeddedAddress, embeddedBlock, embeddedPrecedingBits, NOT_EMBEDDED } from '../geo/embedded.ts';
import type { GeoView } from '../geo/lookup.ts';
import { SPECIAL_PLACE } from '../geo/place.ts';
import { maybeSpecial4, maybeSpecial6 } from '../geo/special.ts';
import { ECS_IPV4, type Query } from '../wire/query.ts';
import { emptyPeer, type Peer } from './port.ts';

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
  /** The resolver: it decides where the subnet says nothing. */
  resolver: Peer = emptyPeer();

  /** RFC 7871 7.1.2: a source prefix of 0 asks not to use the subnet, so the resolver's address decides. `range`: see above. */
  take(query: Query, peer: Peer, range: number): void {
    this.range = range;
    this.resolver = peer;
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

  /**
   * Where the subnet lies in special-purpose space that no override places: the length of the shortest prefix around it that does
   * too. -1 for every other client.
   */
  specialPrefix(geo: GeoView): number {
    if (!this.fromSubnet) return -1;
    if (this.family === 4) return specialPrefix4(geo, this.w0, this.range);
    const { w0, w1, w2, w3 } = this;
    const block = embeddedBlock(w0, w1, w2, w3);
    if (block !== NOT_EMBEDDED) {
      const inside = specialPrefix4(geo, embeddedAddress(block, w0, w1, w2, w3), -1);
      return inside < 0 ? -1 : embeddedPrecedingBits(block) + inside;
    }
    if (!maybeSpecial6(w0)) return -1;
    const range = geo.find6(w0, w1, w2, w3);
    return geo.place6(range) === SPECIAL_PLACE ? geo.prefixOfRange6(range, w0, w1, w2, w3) : -1;
  }
}

function specialPrefix4(geo: GeoView, address: number, known: number): number {
  if (!maybeSpecial4(address)) return -1;
  const range = known >= 0 ? known : geo.find4(address);
  return geo.place4(range) === SPECIAL_PLACE ? geo.prefixOfRange4(address, range) : -1;
}
