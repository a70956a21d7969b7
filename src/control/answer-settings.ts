// What the threads that answer are told of the settings, cookie secrets from their file included.
import { randomBytes } from 'node:crypto';
import { StartError } from '../api/start-error.ts';
import { formatDiagnostic } from '../base/diagnostic.ts';
import type { Logger } from '../base/log.ts';
import { loadCookieSecrets } from '../guard/secrets.ts';
import type { AnswerSettings } from '../serve/answerer.ts';
import type { Settings } from '../settings/settings.ts';

/** Reads the cookie secrets too. Throws StartError when their file has mistakes. */
export function answerSettings(settings: Settings, log: Logger): AnswerSettings {
  const { udp, identity, tcp, rateLimit, cookies } = settings;
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  return {
    udpMaxBytes: udp.maxSize,
    udpMaxBytesWithoutCookie: udp.maxSizeWithoutCookie,
    cookieSecrets: firstSecrets(cookies.secretFile, log),
    rate: rateLimit,
    nsid: text(identity.nsid),
    version: text(identity.version),
    hostname: text(identity.hostname),
    keepalive: Math.min(65_535, Math.floor(tcp.idleTimeoutMs / 100)),
  };
}

function firstSecrets(file: string, log: Logger): readonly Uint8Array[] {
  const { secrets, diagnostics } = loadCookieSecrets(file, randomBytes);
  for (const d of diagnostics) log.warn({ event: 'cookie-secrets', file: d.file, line: d.line }, d.message);
  const errors = diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0) throw new StartError(errors.map(formatDiagnostic).join('\n'));
  return secrets;
}

/** The secrets after a rotation in their file; null when it has mistakes: then the old ones hold. */
export function rereadSecrets(file: string, log: Logger): readonly Uint8Array[] | null {
  const { secrets, diagnostics } = loadCookieSecrets(file, randomBytes);
  const errors = diagnostics.filter((d) => d.severity === 'error');
  for (const d of errors) log.error({ event: 'cookie-secrets', file: d.file, line: d.line }, d.message);
  return errors.length === 0 ? secrets : null;
}
