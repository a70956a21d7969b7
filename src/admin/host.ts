// Decides whether a request's Host and Origin are ours: against DNS rebinding and against other sites' pages.
import { isLoopback, parseAddress } from '../base/address.ts';

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
export function listensOnLoopback(host: string): boolean {
  const address = parseAddress(host);
  return address === undefined ? host === 'localhost' : isLoopback(address);
}
