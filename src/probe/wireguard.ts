// The probe for WireGuard servers: a handshake that only the holder of the server's private key can answer.
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { WireguardCheck } from '../zone/model.ts';
import { converse } from './datagram.ts';
import { readLocalFile } from './local-file.ts';
import {
  answers,
  COOKIE_REPLY_BYTES,
  cookieOf,
  type Initiation,
  initiate,
  type Keys,
  keysOf,
  tai64n,
} from './noise.ts';
import { failed, succeeded, unready } from './outcome.ts';
import type { ProbeFunction } from './probe.ts';

/**
 * Probes a WireGuard server. Our key must be a peer of it, and belong to this server alone: a peer's handshakes must
 * carry growing timestamps. A server under load asks for a second message with its cookie; that is the same try.
 */
export const probeWireguard: ProbeFunction<WireguardCheck> = async (target, check, attempt) => {
  let keys: Keys;
  try {
    const text = (await readLocalFile(check.privateKeyFile, limits.probeEvidenceBytes)).toString('utf8');
    keys = keysOf(Buffer.from(text.trim(), 'base64'), check.publicKey, check.presharedKey);
  } catch (error) {
    return unready('private key cannot be used', error);
  }
  let initiation: Initiation | null = null;
  let cookie: Buffer | null = null;
  let cookies = 0;
  let replies = 0;
  let wrong = 0;
  return converse(target.address, check.port, attempt, {
    datagram: () => {
      initiation = initiate(keys, nextTimestamp(attempt.clock), cookie);
      return initiation.message;
    },
    received: (data, sendAgain) => {
      if (initiation === null) return undefined;
      if (data.length !== COOKIE_REPLY_BYTES) {
        const proved = answers(initiation, data);
        if (proved === true) return succeeded('handshake');
        if (proved === false && ++wrong >= limits.probeHandshakes) return failed('handshake does not verify');
        return undefined;
      }
      if (++replies > limits.probeCookies) return failed('too many cookies');
      const fresh = cookieOf(initiation, data);
      if (fresh === undefined) return undefined;
      // One more message is enough; a peer that goes on asking is no reason to go on sending.
      cookie = fresh;
      if (cookies++ < 2) sendAgain();
      return undefined;
    },
    silent: () => failed(cookies > 0 ? 'timeout: the server is under load' : 'timeout: no handshake'),
  });
};

let lastNanoseconds = 0n;

/** The present time, but always later than the one before, whatever the clock does. */
function nextTimestamp(clock: Clock): Buffer {
  const now = BigInt(Math.floor(clock.nowMs() * 1_000)) * 1_000n;
  lastNanoseconds = now > lastNanoseconds ? now : lastNanoseconds + 1n;
  return tai64n(lastNanoseconds);
}
