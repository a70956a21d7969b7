// WireGuard's handshake, the initiator's half: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (the WireGuard paper, section 5.4).
import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { open, openExtended, seal } from './chacha.ts';

/** Message sizes: type and reserved 4, then what 5.4.3 and 5.4.7 list. */
const RESPONSE_BYTES = 92;
export const COOKIE_REPLY_BYTES = 64;

const NONCE = Buffer.alloc(12);
const NO_KEY = Buffer.alloc(32);
const CHAIN = hash(Buffer.from('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s'));
const IDENTIFIER = Buffer.from('WireGuard v1 zx2c4 Jason@zx2c4.com');
/** DER around a raw key (RFC 8410 7 and 4). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** The keys of one handshake. */
export interface Keys {
  readonly ours: KeyObject;
  readonly ourPublic: Buffer;
  readonly theirPublic: Buffer;
  readonly preshared: Uint8Array;
}

/** Makes the keys usable. Throws when one isn't 32 bytes. */
export function keysOf(ourPrivate: Uint8Array, theirPublic: Uint8Array, preshared: Uint8Array | null): Keys {
  if (ourPrivate.length !== 32 || theirPublic.length !== 32 || (preshared ?? NO_KEY).length !== 32)
    throw new Error('a key must have 32 bytes');
  const ours = createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, ourPrivate]), format: 'der', type: 'pkcs8' });
  return {
    ours,
    ourPublic: rawPublic(createPublicKey(ours)),
    theirPublic: Buffer.from(theirPublic),
    preshared: preshared ?? NO_KEY,
  };
}

/** One handshake that we began: the message, and what it takes to check the answers. */
export interface Initiation {
  readonly message: Buffer;
  readonly keys: Keys;
  readonly sender: Buffer;
  readonly ephemeral: KeyObject;
  readonly chain: Buffer;
  readonly transcript: Buffer;
}

/**
 * 5.4.2, first message. `timestamp` is 12 bytes of TAI64N and must be greater than any that this key has sent to that peer; `cookie`
 * (16 bytes) is what the peer asked to see, if it did.
 */
export function initiate(keys: Keys, timestamp: Uint8Array, cookie: Uint8Array | null): Initiation {
  const pair = generateKeyPairSync('x25519');
  const ephemeralPublic = rawPublic(pair.publicKey);
  const sender = randomBytes(4);
  let transcript = hash(hash(CHAIN, IDENTIFIER), keys.theirPublic);
  let [chain] = derive(CHAIN, ephemeralPublic);
  transcript = hash(transcript, ephemeralPublic);
  let key: Buffer;
  [chain, key] = derive(chain, shared(pair.privateKey, keys.theirPublic));
  const sealedStatic = seal(key, NONCE, keys.ourPublic, transcript);
  transcript = hash(transcript, sealedStatic);
  [chain, key] = derive(chain, shared(keys.ours, keys.theirPublic));
  const sealedTimestamp = seal(key, NONCE, timestamp, transcript);
  transcript = hash(transcript, sealedTimestamp);
  const body = Buffer.concat([Buffer.from([1, 0, 0, 0]), sender, ephemeralPublic, sealedStatic, sealedTimestamp]);
  // 5.4.4: the first MAC shows that we know whom we talk to, the second that we can be reached at our address.
  const signed = Buffer.concat([body, mac(hash(Buffer.from('mac1----'), keys.theirPublic), body)]);
  const message = Buffer.concat([signed, cookie === null ? Buffer.alloc(16) : mac(cookie, signed)]);
  return { message, keys, sender, ephemeral: pair.privateKey, chain, transcript };
}

/**
 * 5.4.3, second message: whether it proves that the peer has its private key (and the preshared one). `foreign`: no answer to this
 * message, found out at little cost; `false`: it looked like one, and a millisecond of arithmetic shows that it is none. Never throws.
 */
export function answers(initiation: Initiation, response: Buffer): boolean | 'foreign' {
  const { keys, sender, ephemeral } = initiation;
  if (response.length !== RESPONSE_BYTES || response.readUInt32LE(0) !== 2 || !response.subarray(8, 12).equals(sender))
    return 'foreign';
  if (!mac(hash(Buffer.from('mac1----'), keys.ourPublic), response.subarray(0, 60)).equals(response.subarray(60, 76)))
    return 'foreign';
  const theirEphemeral = response.subarray(12, 44);
  try {
    let [chain] = derive(initiation.chain, theirEphemeral);
    let transcript = hash(initiation.transcript, theirEphemeral);
    [chain] = derive(chain, shared(ephemeral, theirEphemeral));
    [chain] = derive(chain, shared(keys.ours, theirEphemeral));
    const [, temporary, key] = derive(chain, keys.preshared);
    transcript = hash(transcript, temporary);
    return open(key, NONCE, response.subarray(44, 60), transcript) !== undefined;
  } catch {
    // A public key of low order gives no shared secret.
    return false;
  }
}

/** 5.4.7, cookie reply: the cookie for the next message's second MAC; undefined when it isn't a genuine answer to this one. */
export function cookieOf(initiation: Initiation, reply: Buffer): Buffer | undefined {
  if (
    reply.length !== COOKIE_REPLY_BYTES ||
    reply.readUInt32LE(0) !== 3 ||
    !reply.subarray(4, 8).equals(initiation.sender)
  )
    return undefined;
  const key = hash(Buffer.from('cookie--'), initiation.keys.theirPublic);
  return openExtended(key, reply.subarray(8, 32), reply.subarray(32, 64), initiation.message.subarray(116, 132));
}

/** 5.1, TAI64N: 8 bytes of seconds, 4 of nanoseconds, big-endian, so that later is greater. */
export function tai64n(nanoseconds: bigint): Buffer {
  const stamp = Buffer.alloc(12);
  stamp.writeBigUInt64BE(0x400000000000000an + nanoseconds / 1_000_000_000n);
  stamp.writeUInt32BE(Number(nanoseconds % 1_000_000_000n), 8);
  return stamp;
}

function hash(...parts: Uint8Array[]): Buffer {
  return Buffer.from(blake2s(Buffer.concat(parts)));
}

function mac(key: Uint8Array, data: Uint8Array): Buffer {
  return Buffer.from(blake2s(data, { key, dkLen: 16 }));
}

/** KDF: three outputs; who needs fewer takes the first ones, they don't depend on the rest. */
function derive(key: Uint8Array, input: Uint8Array): [Buffer, Buffer, Buffer] {
  const secret = hmac(blake2s, key, input);
  const first = hmac(blake2s, secret, Uint8Array.of(1));
  const second = hmac(blake2s, secret, Buffer.concat([first, Uint8Array.of(2)]));
  const third = hmac(blake2s, secret, Buffer.concat([second, Uint8Array.of(3)]));
  return [Buffer.from(first), Buffer.from(second), Buffer.from(third)];
}

function shared(privateKey: KeyObject, theirPublic: Uint8Array): Buffer {
  return diffieHellman({
    privateKey,
    publicKey: createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, theirPublic]), format: 'der', type: 'spki' }),
  });
}

function rawPublic(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_PREFIX.length);
}
