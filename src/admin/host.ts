// Decides whether a request's Host and Origin are ours: against DNS rebinding and against other sites' pages.
import { parseAddress } from '../base/address.ts';

/** The name or address in a Host header, lower case, without port, brackets and final dot; undefined for nonsense. */
export function hostName(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::[0-9]{1,5})?$/i.exec(header);
  const name = match?.[1] ?? match?.[2];
  return name?.toLowerCase().replace(/\.$/, '');
}

/**
 * Whether a Host header may be answered: an IP address, `localhost`, or one of `allowed`. A page that an attacker's name
 * brought to a browser has that name in Host, even when the name now points at this server.
 */
export function hostAllowed(header: string | undefined, allowed: readonly string[]): boolean {
  const name = header === undefined ? undefined : hostName(header);
  if (name === undefined) return false;
  if (name === 'localhost' || parseAddress(name) !== undefined) return true;
  return allowed.some((host) => host.toLowerCase().replace(/\.$/, '') === name);
}

/** Whether a request that changes something comes from our own page, or from no browser at all. */
export function originAllowed(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true;
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** Whether an address to listen on can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const address = parseAddress(host);
  if (address === undefined) return false;
  if (address.family === 4) return address.bytes[0] === 127;
  const mapped = address.bytes.subarray(0, 10).every((byte) => byte === 0) && address.bytes[10] === 0xff;
  return mapped ? address.bytes[12] === 127 : address.bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
}
