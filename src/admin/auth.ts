// Decides who asks and whether they may: the bearer token of a request against the tokens file, which may change any time.
import { timingSafeEqual } from 'node:crypto';
import type { Stats } from 'node:fs';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { fileLane } from '../base/read-file.ts';
import { Problem } from './problem.ts';
import { ROLES, type Role, readTokens, type TokenEntry, TokensError, tokenDigest } from './tokens.ts';

/** What a request is known as when no tokens are needed. */
const LOCAL = 'local';

const CHALLENGE = { 'www-authenticate': 'Bearer realm="meridian"' };

/** The tokens that count now. */
export class Gate {
  readonly #file: string | null;
  readonly #log: Logger;
  /** null: there has never been a file, and whoever reaches the admin may do everything. */
  #entries: readonly TokenEntry[] | null;
  #stamp: string | null = null;
  readonly #local: TokenEntry | null;
  readonly #onProblem: (problem: string | null) => void;
  /** The file could not be used at the start, nor since. */
  #isBroken = false;

  /**
   * Reads the file. With one that is wrong nobody gets in but with the local token, until it is mended.
   * @param localToken a token of this start that counts beside the file's, for commands on the same machine
   * @param onProblem told when the file can't be used, and (null) when it can be again
   */
  constructor(
    file: string | null,
    localToken: string | null,
    log: Logger,
    onProblem: (problem: string | null) => void = () => {},
  ) {
    this.#file = file;
    this.#log = log;
    this.#onProblem = onProblem;
    this.#local = localToken === null ? null : { name: LOCAL, role: 'admin', digest: tokenDigest(localToken) };
    this.#entries = this.#first();
  }

  #first(): readonly TokenEntry[] | null {
    if (this.#file === null) return null;
    try {
      const entries = readTokens(this.#file) ?? null;
      if (entries?.length === 0) throw new TokensError(`${this.#file} has no token`);
      return entries;
    } catch (error) {
      this.#broken(error, 'nobody gets into the admin until it is mended');
      return [];
    }
  }

  #broken(error: unknown, then: string): void {
    const text = `${(error as Error).message}; ${then}`;
    this.#isBroken = true;
    this.#log.error({ event: 'admin-tokens-broken' }, text);
    this.#onProblem(text);
  }

  /** Whether a token is needed: there is a file, be it one that can't be judged or has no token and lets nobody in. */
  get isClosed(): boolean {
    return this.#entries !== null;
  }

  /**
   * Who asks, by name. Throws Problem 401 for a missing or unknown token, 403 for a role that is too low.
   * @param authorization the request's header
   * @param needed the least role; null: anybody
   */
  admit(authorization: string | undefined, needed: Role | null): string {
    if (needed === null) return LOCAL;
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

  /**
   * Reads the file again when it has changed; to be called before each request is judged. A file that is gone, broken, or on a file system
   * that doesn't answer changes nothing: the last good tokens hold.
   */
  async refresh(): Promise<void> {
    if (this.#file === null) return;
    let stamp: string;
    try {
      stamp = stampOf(await fileLane.look(this.#file));
    } catch {
      return;
    }
    // The first look is at the file that was read just before.
    if (this.#stamp === null || stamp === this.#stamp) {
      this.#stamp = stamp;
      return;
    }
    this.#stamp = stamp;
    try {
      const entries = readTokens(this.#file);
      if (entries !== undefined) {
        this.#entries = entries;
        this.#isBroken = false;
        this.#onProblem(null);
      } else
        this.#log.warn(
          { event: 'admin-tokens-gone', file: this.#file },
          'the tokens file is gone; the last tokens hold',
        );
    } catch (error) {
      this.#broken(error, this.#isBroken ? 'nobody gets in' : 'the last good tokens hold');
    }
  }
}

function stampOf(stats: Stats | null): string {
  return stats === null ? '' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}
