// TLS towards a backend: server name, verification, and how long its certificate lasts.
import { constants } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { connect as connectTcp, isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { limits } from '../base/limits.ts';
import { readLocalFile } from './local-file.ts';
import { RecordGate } from './tls-gate.ts';

/** What to tell the backend and what to ask of it. */
export interface TlsSettings {
  /** Name that is sent as SNI and that the certificate must have; an IP address is verified but not sent (RFC 6066 3). */
  readonly serverName: string;
  readonly verify: boolean;
  /** null: the roots that come with Node. */
  readonly context: SecureContext | null;
  readonly protocols: readonly string[];
}

/** A server of TLS 1.2 may ask for a new handshake again and again, each 2 ms. */
const SECURE_OPTIONS = constants.SSL_OP_NO_RENEGOTIATION;

const contexts = new Map<string, { stamp: string; context: SecureContext }>();

/** The trust of a PEM file, read again when the file changed; null for null. Rejects when the file can't be read or holds no PEM. */
export async function trustOf(caFile: string | null): Promise<SecureContext | null> {
  if (caFile === null) return null;
  const { mtimeMs, size, ino } = await stat(caFile);
  const stamp = `${mtimeMs}/${size}/${ino}`;
  const known = contexts.get(caFile);
  if (known?.stamp === stamp) return known.context;
  const context = createSecureContext({
    secureOptions: SECURE_OPTIONS,
    ca: await readLocalFile(caFile, limits.caFileBytes),
  });
  contexts.set(caFile, { stamp, context });
  return context;
}

/**
 * Opens a TLS connection without any session resumption: a resumed session hides the certificate. `onExcess` is told why it was closed
 * when the server sends more than a probe takes.
 */
export function connectTls(
  address: string,
  port: number,
  settings: TlsSettings,
  onExcess: (reason: string) => void,
): { socket: TLSSocket; gate: RecordGate } {
  const { serverName } = settings;
  const gate = new RecordGate(connectTcp({ host: address, port, noDelay: true }), onExcess);
  const options: ConnectionOptions = {
    socket: gate,
    rejectUnauthorized: settings.verify,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
    secureOptions: SECURE_OPTIONS,
    ALPNProtocols: [...settings.protocols],
  };
  if (isIP(serverName) === 0) options.servername = serverName;
  if (settings.context !== null) options.secureContext = settings.context;
  const socket = connect(options);
  socket.on('session', () => {
    if (gate.ticket()) return;
    // Not inside of OpenSSL's own read.
    setImmediate(() => {
      onExcess('too many TLS tickets');
      socket.destroy();
    });
  });
  return { socket, gate };
}

/** Whole days until the certificate that the peer showed expires, rounded down; null when it showed none. */
export function certificateDays(socket: TLSSocket, nowMs: number): number | null {
  const expires = Date.parse(socket.getPeerCertificate().valid_to ?? '');
  return Number.isNaN(expires) ? null : Math.floor((expires - nowMs) / 86_400_000);
}
