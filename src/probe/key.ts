// When two probes are equal: the same address and the same check, whatever the check is called.
import { createHash } from 'node:crypto';
import type { Check } from '../zone/model.ts';

/** Many targets share one check; hashing it for each of them would hold up a reload. */
const hashes = new WeakMap<Check, string>();

/** A text that is equal for equal probes and for no others; it doesn't reveal the check's content (which may hold secrets). */
export function probeKey(address: string, check: Check): string {
  let hash = hashes.get(check);
  if (hash === undefined) {
    const { name: _, ...content } = check;
    hash = createHash('sha256').update(canonical(content)).digest('base64url').slice(0, 22);
    hashes.set(check, hash);
  }
  return `${address} ${hash}`;
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
