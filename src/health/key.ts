// When two probes are equal: the same address and the same check, whatever the check is called.
import { createHash } from 'node:crypto';
import type { Check } from '../zone/model.ts';

/** A text that is equal for equal probes and for no others; it doesn't reveal the check's content (which may hold secrets). */
export function probeKey(address: string, check: Check): string {
  const { name: _, ...content } = check;
  return `${address} ${createHash('sha256').update(canonical(content)).digest('base64url').slice(0, 22)}`;
}

/** JSON with sorted keys and bytes as hex. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (inner instanceof Uint8Array) return { hex: Buffer.from(inner).toString('hex') };
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    const map = inner as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(map)
        .sort()
        .map((key) => [key, map[key]]),
    );
  });
}
