// What a try against a backend came to, and the words for it.
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { limits } from '../base/limits.ts';

/** A probe's own findings; the frame around it adds time and latency. */
export interface Outcome {
  readonly ok: boolean;
  readonly reason: string;
  readonly evidence: string;
  readonly load: number | null;
  readonly certificateDays: number | null;
  /** The try failed for want of something on this machine (file descriptors, buffers): it says nothing about the backend. */
  readonly local: boolean;
}

/** A good try. */
export function succeeded(
  evidence: string,
  load: number | null = null,
  certificateDays: number | null = null,
): Outcome {
  return { ok: true, reason: 'ok', evidence, load, certificateDays, local: false };
}

/** A failed try. */
export function failed(reason: string, evidence = '', certificateDays: number | null = null): Outcome {
  return { ok: false, reason, evidence, load: null, certificateDays, local: false };
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  ECONNABORTED: 'connection aborted',
  EHOSTUNREACH: 'host unreachable',
  EHOSTDOWN: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'timeout: no connection',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  ENOENT: 'not found',
  EADDRNOTAVAIL: 'no local address or source port',
  EADDRINUSE: 'no source port is free',
  EMFILE: 'no file descriptors are left',
  ENFILE: 'no file descriptors are left',
  ENOMEM: 'no memory is left',
  ENOBUFS: 'no buffers are left',
  EAGAIN: 'no source port or process is free',
  EAFNOSUPPORT: 'address family not available here',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate has a self-signed issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate has an unknown issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate has an unknown issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate has an unknown issuer',
  CERT_REVOKED: 'certificate is revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another name',
  ERR_HTTP2_ERROR: 'not HTTP/2',
};

/** Codes of errors that this machine is to blame for: out of descriptors, buffers, memory, processes, source ports. */
const LOCAL: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EADDRINUSE']);

/** Whether an error says that this machine has run out of something, so that nothing is known of the backend. */
export function isLocalError(error: unknown): boolean {
  const { code = '', address = '' } = (error ?? {}) as { code?: string; address?: string };
  // Linux says so when TCP's source ports are used up, and also where this machine has no address of that family at all.
  if (code === 'EADDRNOTAVAIL') return hasAddressOf(isIPv6(address) ? 'IPv6' : 'IPv4');
  return LOCAL.has(code);
}

function hasAddressOf(family: 'IPv4' | 'IPv6'): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.family === family));
}

/** A try that an error ended before it began: a file of the check that can't be used. */
export function unready(reason: string, error: unknown): Outcome {
  return { ...failed(reason, printable(String(error))), local: isLocalError(error) };
}

/** A failed try, told by the error that ended it. */
export function failedBy(error: unknown, certificateDays: number | null = null): Outcome {
  const { code = '', message = String(error) } = (error ?? {}) as { code?: string; message?: string };
  const words =
    WORDS[code] ??
    (code.startsWith('HPE_') ? 'not HTTP' : code.startsWith('ERR_SSL_') ? 'TLS handshake failed' : undefined);
  const evidence = printable(code === '' || message.includes(code) ? message : `${code}: ${message}`);
  return {
    ok: false,
    reason: words ?? printable(message),
    evidence,
    load: null,
    certificateDays,
    local: isLocalError(error),
  };
}

/** First bytes of what a backend sent (or a text), cut to the evidence bound, everything unprintable as a dot. */
export function printable(data: Uint8Array | string): string {
  const text =
    typeof data === 'string'
      ? data
      : Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, limits.probeEvidenceBytes)).toString(
          'utf8',
        );
  return text.slice(0, limits.probeEvidenceBytes).replace(/[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffc]+/g, '.');
}
