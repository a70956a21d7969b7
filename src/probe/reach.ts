// Where probes may not go: to this server's own admin, and, unless settings allow it, to link-local and metadata addresses.
import { networkInterfaces } from 'node:os';
import { type Address, compareAddresses, formatAddress, isLoopback, parseAddress } from '../base/address.ts';
import { embeddedIpv4, isLinkLocal } from '../base/link-local.ts';
import type { CheckRules } from '../zone/model.ts';

/** What the settings allow, and what must be left alone. */
export interface ProbeRules extends CheckRules {
  /** Where this server's admin listens; null: nowhere. */
  readonly admin: { readonly address: string; readonly port: number } | null;
}

/** Why an address must not be probed at this port, in a few words; null: it may. */
export function refusalOf(text: string, port: number, rules: ProbeRules): string | null {
  const parsed = parseAddress(text.replace(/%.*$/, ''));
  if (parsed === undefined) return null;
  if (!rules.linkLocal && isLinkLocal(parsed))
    return 'link-local and metadata addresses are not probed (health.link-local)';
  return reachesAdmin(embeddedIpv4(parsed), port, rules.admin) ? "this server's own admin is not probed" : null;
}

function reachesAdmin(address: Address, port: number, admin: ProbeRules['admin']): boolean {
  if (admin === null || port !== admin.port) return false;
  const listening = parseAddress(admin.address.replace(/%.*$/, ''));
  if (listening === undefined) return false;
  const own = embeddedIpv4(listening);
  // The kernel takes a connection to "any address" to loopback, of either family where a socket takes both.
  if (isUnspecified(address)) return isUnspecified(own) || isLoopback(own);
  if (isUnspecified(own)) return isOwn(address);
  return own.family === address.family && compareAddresses(own, address) === 0;
}

/** Whether an address is this machine's; all of 127.0.0.0/8 is. */
function isOwn(address: Address): boolean {
  if (isLoopback(address)) return true;
  const text = formatAddress(address);
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((one) => {
      const parsed = parseAddress(one.address.replace(/%.*$/, ''));
      return parsed !== undefined && formatAddress(parsed) === text;
    }),
  );
}

function isUnspecified({ bytes }: Address): boolean {
  return bytes.every((byte) => byte === 0);
}
