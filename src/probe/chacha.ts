// ChaCha20-Poly1305 and its XChaCha form: the first is OpenSSL's, for the second Node has no HChaCha20.
import { createCipheriv, createDecipheriv } from 'node:crypto';

const TAG_BYTES = 16;

/** Seals `plain` under a 32-byte key and a 12-byte nonce (RFC 8439 2.8): ciphertext and 16-byte tag. */
export function seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, associated: Uint8Array): Buffer {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated, { plaintextLength: plain.length });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what `seal` made; undefined when it isn't genuine. */
export function open(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associated: Uint8Array,
): Buffer | undefined {
  const length = sealed.length - TAG_BYTES;
  if (length < 0) return undefined;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associated, { plaintextLength: length });
  decipher.setAuthTag(sealed.subarray(length));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Opens an XChaCha20-Poly1305 box with its 24-byte nonce (draft-irtf-cfrg-xchacha 2.3); undefined when it isn't genuine. */
export function openExtended(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  associated: Uint8Array,
): Buffer | undefined {
  return open(
    hchacha20(key, nonce.subarray(0, 16)),
    Buffer.concat([Buffer.alloc(4), nonce.subarray(16, 24)]),
    sealed,
    associated,
  );
}

/** draft-irtf-cfrg-xchacha 2.2: a key of its own out of a 32-byte key and 16 bytes of nonce. */
export function hchacha20(key: Uint8Array, nonce: Uint8Array): Buffer {
  const words = new Uint32Array(16);
  const view = Buffer.concat([Buffer.from('expand 32-byte k', 'latin1'), key, nonce]);
  for (let i = 0; i < 16; i++) words[i] = view.readUInt32LE(i * 4);
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarter(words, i, i + 4, i + 8, i + 12);
    for (let i = 0; i < 4; i++) quarter(words, i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3));
  }
  const out = Buffer.alloc(32);
  for (let i = 0; i < 4; i++) {
    out.writeUInt32LE(words[i]!, i * 4);
    out.writeUInt32LE(words[12 + i]!, 16 + i * 4);
  }
  return out;
}

/** RFC 8439 2.1. */
function quarter(w: Uint32Array, a: number, b: number, c: number, d: number): void {
  const half = (x: number, y: number, z: number, bits: number): void => {
    w[x] = w[x]! + w[y]!;
    const mixed = w[z]! ^ w[x]!;
    w[z] = (mixed << bits) | (mixed >>> (32 - bits));
  };
  half(a, b, d, 16);
  half(c, d, b, 12);
  half(a, b, d, 8);
  half(c, d, b, 7);
}
