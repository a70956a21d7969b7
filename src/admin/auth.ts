// Decides who asks and whether they may: the bearer token of a request against the tokens file, which may change any time.
import { timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { Problem } from './problem.ts';
import { ROLES, type Role, readTokens, type TokenEntry, tokenDigest } from './tokens.ts';

/** What a request is known as when no tokens are needed. */
const LOCAL = 'local';

const CHALLENGE = { 'www-authenticate': 'Bearer realm="meridian"' };

/** The tokens that count now. */
export class Gate {
  readonly #file: string | null;
  readonly #log: Logger;
  /** null: there has never been a file, and whoever reaches the admin may do everything. */
  #entries: readonly TokenEntry[] | null;
  #stamp: string;
  readonly #local: TokenEntry | null;

  /**
   * Reads the file. Throws TokensError when it is wrong: a server doesn't start with a door that it can't judge.
   * @param localToken a token of this start that counts beside the file's, for commands on the same machine
   */
  constructor(file: string | null, localToken: string | null, log: Logger) {
    this.#file = file;
    this.#log = log;
    this.#local = localToken === null ? null : { name: LOCAL, role: 'admin', digest: tokenDigest(localToken) };
    this.#stamp = this.#fileStamp();
    this.#entries = file === null ? null : (readTokens(file) ?? null);
  }

  /** Whether there is at least one token. */
  get hasTokens(): boolean {
    return this.#entries !== null && this.#entries.length > 0;
  }

  /**
   * Who asks, by name. Throws Problem 401 for a missing or unknown token, 403 for a role that is too low.
   * @param authorization the request's header
   * @param needed the least role; null: anybody
   */
  admit(authorization: string | undefined, needed: Role | null): string {
    if (needed === null) return LOCAL;
    this.#refresh();
    if (this.#entries === null) return LOCAL;
    if (authorization === undefined) throw new Problem('no-token', 'send "Authorization: Bearer TOKEN"', CHALLENGE);
    const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    const entry = token === undefined || token.length > limits.adminTokenBytes ? undefined : this.#find(token);
    if (entry === undefined) throw new Problem('bad-token', 'this token is not known', CHALLENGE);
    if (ROLES.indexOf(entry.role) < ROLES.indexOf(needed)) {
      throw new Problem('role-too-low', `this needs the role ${needed}; the token ${entry.name} is ${entry.role}`);
    }
    return entry.name;
  }

  #find(token: string): TokenEntry | undefined {
    const digest = tokenDigest(token);
    const entries = [...(this.#entries ?? []), ...(this.#local === null ? [] : [this.#local])];
    return entries.find((entry) => timingSafeEqual(entry.digest, digest));
  }

  /** Reads the file again when it has changed. One that is gone or broken changes nothing: the last good tokens hold. */
  #refresh(): void {
    const stamp = this.#fileStamp();
    if (stamp === this.#stamp || this.#file === null) return;
    this.#stamp = stamp;
    try {
      const entries = readTokens(this.#file);
      if (entries !== undefined) this.#entries = entries;
      else
        this.#log.warn(
          { event: 'admin-tokens-gone', file: this.#file },
          'the tokens file is gone; the last tokens hold',
        );
    } catch (error) {
      this.#log.error({ event: 'admin-tokens-broken' }, `${(error as Error).message}; the last good tokens hold`);
    }
  }

  #fileStamp(): string {
    const stat = this.#file === null ? undefined : statSync(this.#file, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  }
}
