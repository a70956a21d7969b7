// Walks the IPv4 tree of an MMDB file plainly: how many addresses each record has. A second implementation, for real files.
import { Reader, type Response } from 'maxmind';
import { MmdbData, type MmdbValue } from '../../dist/geo/mmdb-data.js';

export interface Leaves {
  readonly record: MmdbValue;
  /** IPv4 addresses and networks that lead to the record. */
  readonly addresses: number;
  readonly networks: number;
}

export function leavesOf(bytes: Buffer): Leaves[] {
  const { nodeCount, recordSize, ipVersion } = new Reader<Response>(bytes).metadata;
  const child = (node: number, side: 0 | 1): number => {
    if (recordSize === 24) return bytes.readUIntBE(node * 6 + side * 3, 3);
    if (recordSize === 32) return bytes.readUInt32BE(node * 8 + side * 4);
    const middle = bytes[node * 7 + 3]!;
    return (side === 0 ? middle >> 4 : middle & 15) * 2 ** 24 + bytes.readUIntBE(node * 7 + side * 4, 3);
  };
  let root = 0;
  for (let i = 0; ipVersion === 6 && i < 96 && root < nodeCount; i++) root = child(root, 0);
  const counted = new Map<number, { addresses: number; networks: number }>();
  const stack: [node: number, depth: number][] = [[root, 0]];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const [node, depth] = next;
    if (node < nodeCount) stack.push([child(node, 1), depth + 1], [child(node, 0), depth + 1]);
    else if (node > nodeCount) {
      const count = counted.get(node) ?? { addresses: 0, networks: 0 };
      count.addresses += 2 ** (32 - depth);
      count.networks++;
      counted.set(node, count);
    }
  }
  const dataStart = (nodeCount * recordSize) / 4 + 16;
  const data = new MmdbData(bytes, dataStart, bytes.lastIndexOf(Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1')));
  return [...counted].map(([pointer, count]) => ({ record: data.decode(pointer - nodeCount - 16), ...count }));
}
