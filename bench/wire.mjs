// Writes DNS queries and reads answers: as much of the protocol as a benchmark needs.

/** An address as text from a 32-bit number. */
export const ipv4Text = (word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255].join('.');

/** A 32-bit number from dotted text. */
export const ipv4Word = (text) => text.split('.').reduce((word, part) => ((word << 8) | Number(part)) >>> 0, 0);

/**
 * A query: QTYPE A unless told, no recursion desired. `edns`: with an OPT record of 1232 bytes; `subnet`:
 * `{ family: 1 | 2, length, bytes }` puts an EDNS client subnet into it (RFC 7871).
 */
export function query(name, { type = 1, id = 0, edns = false, subnet } = {}) {
  const labels = name === '' ? [] : name.split('.');
  const parts = [Buffer.from([id >> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, edns || subnet ? 1 : 0])];
  for (const label of labels) parts.push(Buffer.from([label.length]), Buffer.from(label));
  parts.push(Buffer.from([0, type >> 8, type & 255, 0, 1]));
  if (edns || subnet) {
    const octets = subnet ? subnet.bytes.subarray(0, (subnet.length + 7) >> 3) : Buffer.alloc(0);
    const option = subnet
      ? Buffer.concat([Buffer.from([0, 8, 0, 4 + octets.length, 0, subnet.family, subnet.length, 0]), octets])
      : octets;
    parts.push(
      Buffer.from([0, 0, 41, 1232 >> 8, 1232 & 255, 0, 0, 0, 0, option.length >> 8, option.length & 255]),
      option,
    );
  }
  return Buffer.concat(parts);
}

function skipName(bytes, from) {
  let at = from;
  while (bytes[at] !== 0) {
    if ((bytes[at] & 0xc0) === 0xc0) return at + 2;
    at += 1 + bytes[at];
  }
  return at + 1;
}

/** What an answer says: `{ id, rcode, authoritative, truncated, addresses: string[], ttls, scope: number | undefined }`. */
export function readAnswer(bytes) {
  let at = 12;
  for (let i = 0; i < bytes.readUInt16BE(4); i++) at = skipName(bytes, at) + 4;
  const addresses = [];
  const ttls = [];
  let scope;
  const answers = bytes.readUInt16BE(6);
  const all = answers + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  for (let i = 0; i < all; i++) {
    at = skipName(bytes, at);
    const type = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 8);
    const data = at + 10;
    if (i < answers && type === 1) {
      addresses.push(ipv4Text(bytes.readUInt32BE(data)));
      ttls.push(bytes.readUInt32BE(at + 4));
    }
    if (type === 41)
      for (let option = data; option + 4 <= data + length; option += 4 + bytes.readUInt16BE(option + 2))
        if (bytes.readUInt16BE(option) === 8) scope = bytes[option + 7];
    at = data + length;
  }
  return {
    id: bytes.readUInt16BE(0),
    rcode: bytes[3] & 15,
    authoritative: (bytes[2] & 4) !== 0,
    truncated: (bytes[2] & 2) !== 0,
    addresses,
    ttls,
    scope,
  };
}
