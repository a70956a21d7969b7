// TLS towards a backend: server name, verification, and how long its certificate lasts.
import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';

/** What to tell the backend and what to ask of it. */
export interface TlsSettings {
  /** Name that is sent as SNI and that the certificate must have; an IP address is verified but not sent (RFC 6066 3). */
  readonly serverName: string;
  readonly verify: boolean;
  /** null: the roots that come with Node. */
  readonly context: SecureContext | null;
  readonly protocols: readonly string[];
}

const contexts = new Map<string, { stamp: string; context: SecureContext }>();

/** The trust of a PEM file, read again when the file changed; null for null. Rejects when the file can't be read or holds no PEM. */
export async function trustOf(caFile: string | null): Promise<SecureContext | null> {
  if (caFile === null) return null;
  const { mtimeMs, size, ino } = await stat(caFile);
  const stamp = `${mtimeMs}/${size}/${ino}`;
  const known = contexts.get(caFile);
  if (known?.stamp === stamp) return known.context;
  const context = createSecureContext({ ca: await readFile(caFile) });
  contexts.set(caFile, { stamp, context });
  return context;
}

/** Opens a TLS connection without any session resumption: a resumed session hides the certificate. */
export function connectTls(address: string, port: number, settings: TlsSettings): TLSSocket {
  const { serverName } = settings;
  const options: ConnectionOptions = {
    host: address,
    port,
    rejectUnauthorized: settings.verify,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    ALPNProtocols: [...settings.protocols],
  };
  if (isIP(serverName) === 0) options.servername = serverName;
  if (settings.context !== null) options.secureContext = settings.context;
  return connect(options);
}

/** Whole days until the certificate that the peer showed expires, rounded down; null when it showed none. */
export function certificateDays(socket: TLSSocket, nowMs: number): number | null {
  const expires = Date.parse(socket.getPeerCertificate().valid_to ?? '');
  return Number.isNaN(expires) ? null : Math.floor((expires - nowMs) / 86_400_000);
}
