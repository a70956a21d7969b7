// What the threads that answer are told of the settings.
import type { AnswerSettings } from '../serve/answerer.ts';
import type { Settings } from '../settings/settings.ts';

export function answerSettings(
  settings: Settings,
  cookieSecrets: readonly Uint8Array[],
  steadyEpochMs: number,
): AnswerSettings {
  const { udp, identity, tcp, rateLimit } = settings;
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  return {
    udpMaxBytes: udp.maxSize,
    udpMaxBytesWithoutCookie: udp.maxSizeWithoutCookie,
    cookieSecrets,
    rate: rateLimit,
    nsid: text(identity.nsid),
    version: text(identity.version),
    hostname: text(identity.hostname),
    steadyEpochMs,
    keepalive: Math.min(65_535, Math.floor(tcp.idleTimeoutMs / 100)),
  };
}
