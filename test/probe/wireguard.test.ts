import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { hchacha20, openExtended, seal, open as unseal } from '../../dist/probe/chacha.js';
import { tai64n } from '../../dist/probe/noise.js';
import type { WireguardCheck } from '../../dist/zone/model.js';
import { type Backend, udpBackend } from '../support/backends.ts';
import { tryProbe } from '../support/try.ts';
import { keyPair, Responder } from '../support/wireguard.ts';

const folder = mkdtempSync(join(tmpdir(), 'meridian-wg-'));
const keyFile = join(folder, 'wg.key');
writeFileSync(keyFile, `${keyPair().privateBytes.toString('base64')}\n`);
afterAll(() => rmSync(folder, { recursive: true }));
const open: Backend[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

/** A server that passes each datagram through `twist` before it answers. */
async function server(
  responder: Responder,
  twist: (answer: Buffer) => Buffer | undefined = (answer) => answer,
): Promise<number> {
  const backend = await udpBackend((data, reply) => {
    const answer = responder.handle(data);
    const twisted = answer && twist(answer);
    if (twisted) reply(twisted);
  });
  open.push(backend);
  return backend.port;
}

function wireguard(port: number, responder: Responder, more: Partial<WireguardCheck> = {}): WireguardCheck {
  return {
    kind: 'wireguard',
    port,
    publicKey: responder.keys.publicBytes,
    privateKeyFile: keyFile,
    presharedKey: null,
    ...more,
  };
}

describe('the WireGuard probe', () => {
  test('is good when the server proves that it has its key', async () => {
    const responder = new Responder();
    expect(await tryProbe(wireguard(await server(responder), responder))).toMatchObject({
      ok: true,
      evidence: 'handshake',
    });
  });

  test('fails when the server has another key', async () => {
    const responder = new Responder();
    expect(await tryProbe(wireguard(await server(responder), new Responder()))).toMatchObject({
      ok: false,
      reason: 'timeout: no handshake',
    });
  });

  test('needs the preshared key where there is one', async () => {
    const preshared = Buffer.alloc(32, 7);
    const responder = new Responder(preshared);
    const port = await server(responder);
    expect(await tryProbe(wireguard(port, responder, { presharedKey: preshared }))).toMatchObject({ ok: true });
    expect(await tryProbe(wireguard(port, responder))).toMatchObject({ ok: false });
  });

  test('sends its message again with the cookie when the server is under load', async () => {
    const responder = new Responder();
    responder.underLoad = true;
    const result = await tryProbe(wireguard(await server(responder), responder), { timeoutMs: 2_000 });
    expect(result).toMatchObject({ ok: true });
    expect(responder.cookiesSent).toBe(1);
  });

  test('a server that only ever asks for cookies is down, and gets few messages', async () => {
    const responder = new Responder();
    responder.underLoad = true;
    let messages = 0;
    const backend = await udpBackend((data, reply) => {
      messages++;
      data.fill(0, 132);
      const answer = responder.handle(data);
      if (answer) reply(answer);
    });
    open.push(backend);
    expect(await tryProbe(wireguard(backend.port, responder))).toMatchObject({
      ok: false,
      reason: 'timeout: the server is under load',
    });
    expect(messages).toBeLessThanOrEqual(6);
  });

  test('timestamps grow with every message', async () => {
    const responder = new Responder();
    const port = await server(responder);
    for (let i = 0; i < 20; i++) await tryProbe(wireguard(port, responder));
    for (const [i, stamp] of responder.timestamps.entries())
      if (i > 0) expect(Buffer.compare(stamp, responder.timestamps[i - 1]!)).toBe(1);
    expect(responder.timestamps).toHaveLength(20);
  });

  test('no byte of the answer can be changed', async () => {
    const responder = new Responder();
    for (const at of [0, 9, 20, 50, 65]) {
      const port = await server(responder, (answer) => {
        answer[at]! ^= 1;
        return answer;
      });
      expect(await tryProbe(wireguard(port, responder), { timeoutMs: 150 })).toMatchObject({ ok: false });
    }
  });

  test('an answer to another message is none', async () => {
    const responder = new Responder();
    let first: Buffer | undefined;
    const port = await server(responder, (answer) => (first ??= answer));
    await tryProbe(wireguard(port, responder));
    expect(await tryProbe(wireguard(port, responder), { timeoutMs: 150 })).toMatchObject({ ok: false });
  });

  test('a key that is none fails with a reason', async () => {
    const bad = join(folder, 'bad.key');
    writeFileSync(bad, 'c2hvcnQ=');
    const responder = new Responder();
    expect(await tryProbe(wireguard(1, responder, { privateKeyFile: bad }))).toMatchObject({
      ok: false,
      reason: 'private key cannot be used',
    });
    expect(await tryProbe(wireguard(1, responder, { privateKeyFile: join(folder, 'none') }))).toMatchObject({
      ok: false,
      reason: 'private key cannot be used',
    });
  });
});

describe('its building blocks', () => {
  test('HChaCha20 gives what draft-irtf-cfrg-xchacha 2.2.1 says', () => {
    const key = Buffer.from([...Array(32).keys()]);
    const nonce = Buffer.from('000000090000004a0000000031415927', 'hex');
    expect(hchacha20(key, nonce).toString('hex')).toBe(
      '82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc',
    );
  });

  test('XChaCha20-Poly1305 opens the box of draft-irtf-cfrg-xchacha A.3.1', () => {
    const key = Buffer.from('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f', 'hex');
    const nonce = Buffer.from('404142434445464748494a4b4c4d4e4f5051525354555657', 'hex');
    const associated = Buffer.from('50515253c0c1c2c3c4c5c6c7', 'hex');
    const box = Buffer.from(
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49',
      'hex',
    );
    expect(openExtended(key, nonce, box, associated)?.toString()).toMatch(/^Ladies and Gentlemen of the class of '99/);
    box[3]! ^= 1;
    expect(openExtended(key, nonce, box, associated)).toBeUndefined();
  });

  test('a box is opened by its key, nonce and associated data only', () => {
    const key = Buffer.alloc(32, 1);
    const box = seal(key, Buffer.alloc(12), Buffer.from('text'), Buffer.from('with'));
    expect(unseal(key, Buffer.alloc(12), box, Buffer.from('with'))?.toString()).toBe('text');
    expect(unseal(key, Buffer.alloc(12), box, Buffer.from('without'))).toBeUndefined();
    expect(unseal(key, Buffer.alloc(12), box.subarray(0, 10), Buffer.from('with'))).toBeUndefined();
  });

  test('TAI64N is ten seconds ahead of Unix time and sorts by time', () => {
    expect(tai64n(0n).toString('hex')).toBe('400000000000000a00000000');
    expect(tai64n(1_500_000_001n).toString('hex')).toBe('400000000000000b1dcd6501');
  });
});
