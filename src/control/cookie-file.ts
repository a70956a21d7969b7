// The cookie secrets of a run: from their file, which is made at the first start and may be rotated while this runs.
import { randomBytes } from 'node:crypto';
import { StartError } from '../api/start-error.ts';
import { type Diagnostic, formatDiagnostic } from '../base/diagnostic.ts';
import type { Logger } from '../base/log.ts';
import { fileLane } from '../base/read-file.ts';
import { StateFile } from '../base/state-file.ts';
import type { Storage } from '../base/storage.ts';
import { loadCookieSecrets, newCookieSecret } from '../guard/secrets.ts';
import type { Settings } from '../settings/settings.ts';

const COOKIE_MODE = 0o600;

type Secrets = readonly Uint8Array[];

export class CookieFile {
  readonly #settings: Settings['cookies'];
  readonly #storage: Storage;
  readonly #log: Logger;
  readonly #file: StateFile<string>;
  /** What the file should hold; null: what is there can't be used, and isn't ours to write over. */
  #text: string | null = null;

  constructor(options: { settings: Settings['cookies']; storage: Storage; log: Logger }) {
    this.#settings = options.settings;
    this.#storage = options.storage;
    this.#log = options.log;
    this.#file = new StateFile({
      file: this.#settings.secretFile,
      storage: this.#storage,
      mode: COOKIE_MODE,
      read: (text) => text,
      write: () => this.#text ?? undefined,
    });
  }

  /**
   * The secrets to start with. Throws StartError when the settings name a file that can't be used; one at the default path is told, and a
   * secret of this run takes its place: cookies then end with the run, which costs clients a round trip.
   */
  first(): Secrets {
    const { secretFile: file, secretFileGiven: given } = this.#settings;
    const { secrets, missing, diagnostics } = loadCookieSecrets(file, given ? null : COOKIE_MODE);
    if (missing) {
      const made = newCookieSecret(randomBytes);
      this.#text = made.text;
      this.#file.soon();
      return [made.secret];
    }
    const errors = errorsOf(diagnostics);
    if (errors.length > 0 && given) throw new StartError(errors.map(formatDiagnostic).join('\n'));
    this.#tell(diagnostics);
    const [first] = errors;
    if (first !== undefined) {
      this.#storage.damage(file, `${first.message} (line ${first.line}): cookies end with this run; ${first.fix}`);
      return [newCookieSecret(randomBytes).secret];
    }
    this.#text = this.#file.load();
    return secrets;
  }

  /** The secrets after a rotation; null when the file is gone or has mistakes: then the old ones hold. */
  async again(): Promise<Secrets | null> {
    const { secretFile: file, secretFileGiven: given } = this.#settings;
    try {
      await fileLane.look(file);
    } catch (error) {
      this.#log.error({ event: 'cookie-secrets', file }, (error as Error).message);
      return null;
    }
    const { secrets, missing, diagnostics } = loadCookieSecrets(file, given ? null : COOKIE_MODE);
    this.#tell(errorsOf(diagnostics));
    if (missing || errorsOf(diagnostics).length > 0) return null;
    this.#text = this.#file.load();
    this.#storage.repaired(file);
    return secrets;
  }

  stop(): Promise<void> {
    return this.#file.close();
  }

  #tell(diagnostics: readonly Diagnostic[]): void {
    for (const { file, line, message, severity } of diagnostics) {
      this.#log[severity === 'error' ? 'error' : 'warn']({ event: 'cookie-secrets', file, line }, message);
    }
  }
}

function errorsOf(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.filter((d) => d.severity === 'error');
}
