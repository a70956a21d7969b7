// The responder's half of a WireGuard handshake, written from the paper, to hold the probe against.
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { hchacha20, open, seal } from '../../dist/probe/chacha.js';

const PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
const NONCE = Buffer.alloc(12);
const hash = (...parts: Uint8Array[]): Buffer => Buffer.from(blake2s(Buffer.concat(parts)));
const mac = (key: Uint8Array, data: Uint8Array): Buffer => Buffer.from(blake2s(data, { key, dkLen: 16 }));
const raw = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(12);
const dh = (privateKey: KeyObject, peer: Uint8Array): Buffer =>
  diffieHellman({
    privateKey,
    publicKey: createPublicKey({ key: Buffer.concat([PREFIX, peer]), format: 'der', type: 'spki' }),
  });

function kdf(key: Uint8Array, input: Uint8Array): Buffer[] {
  const secret = hmac(blake2s, key, input);
  let last: Uint8Array = new Uint8Array(0);
  return [1, 2, 3].map((i) => {
    last = hmac(blake2s, secret, Buffer.concat([last, Uint8Array.of(i)]));
    return Buffer.from(last);
  });
}

/** A key pair, its halves as 32 bytes. */
export function keyPair(): { privateKey: KeyObject; privateBytes: Buffer; publicBytes: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return {
    privateKey,
    privateBytes: privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32),
    publicBytes: raw(publicKey),
  };
}

/** A WireGuard server's handshake side; `handle` gives the datagram to send back, or undefined. */
export class Responder {
  readonly keys = keyPair();
  /** Ask for a cookie before answering. */
  underLoad = false;
  readonly timestamps: Buffer[] = [];
  cookiesSent = 0;
  readonly #cookie = randomBytes(16);
  readonly #preshared: Uint8Array;

  constructor(preshared: Uint8Array = Buffer.alloc(32)) {
    this.#preshared = preshared;
  }

  handle(message: Buffer): Buffer | undefined {
    if (message.length !== 148 || message.readUInt32LE(0) !== 1) return undefined;
    const ours = this.keys.publicBytes;
    if (!mac(hash(Buffer.from('mac1----'), ours), message.subarray(0, 116)).equals(message.subarray(116, 132)))
      return undefined;
    if (this.underLoad && !mac(this.#cookie, message.subarray(0, 132)).equals(message.subarray(132)))
      return this.#cookieReply(message);
    let chain = hash(Buffer.from('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s'));
    let transcript = hash(hash(chain, Buffer.from('WireGuard v1 zx2c4 Jason@zx2c4.com')), ours);
    const ephemeral = message.subarray(8, 40);
    chain = kdf(chain, ephemeral)[0]!;
    transcript = hash(transcript, ephemeral);
    let key: Buffer;
    [chain, key] = kdf(chain, dh(this.keys.privateKey, ephemeral)) as [Buffer, Buffer];
    const theirs = open(key, NONCE, message.subarray(40, 88), transcript);
    if (theirs === undefined) return undefined;
    transcript = hash(transcript, message.subarray(40, 88));
    [chain, key] = kdf(chain, dh(this.keys.privateKey, theirs)) as [Buffer, Buffer];
    const timestamp = open(key, NONCE, message.subarray(88, 116), transcript);
    if (timestamp === undefined) return undefined;
    this.timestamps.push(timestamp);
    transcript = hash(transcript, message.subarray(88, 116));
    const pair = generateKeyPairSync('x25519');
    const fresh = raw(pair.publicKey);
    chain = kdf(chain, fresh)[0]!;
    transcript = hash(transcript, fresh);
    chain = kdf(chain, dh(pair.privateKey, ephemeral))[0]!;
    chain = kdf(chain, dh(pair.privateKey, theirs))[0]!;
    const [, temporary, last] = kdf(chain, this.#preshared) as [Buffer, Buffer, Buffer];
    transcript = hash(transcript, temporary);
    const body = Buffer.concat([
      Buffer.from([2, 0, 0, 0]),
      randomBytes(4),
      message.subarray(4, 8),
      fresh,
      seal(last, NONCE, Buffer.alloc(0), transcript),
    ]);
    return Buffer.concat([body, mac(hash(Buffer.from('mac1----'), theirs), body), Buffer.alloc(16)]);
  }

  #cookieReply(message: Buffer): Buffer {
    this.cookiesSent++;
    const nonce = randomBytes(24);
    const key = hchacha20(hash(Buffer.from('cookie--'), this.keys.publicBytes), nonce.subarray(0, 16));
    const box = seal(
      key,
      Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]),
      this.#cookie,
      message.subarray(116, 132),
    );
    return Buffer.concat([Buffer.from([3, 0, 0, 0]), message.subarray(4, 8), nonce, box]);
  }
}
