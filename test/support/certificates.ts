// Certificates for tests, made by openssl: an authority of our own, and what it signs.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  /** PEM files. */
  readonly certificate: string;
  readonly key: string;
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Makes an authority in `folder`; `issue` makes certificates that it signed. */
export class Authority {
  readonly file: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.file = join(folder, 'ca.pem');
    openssl(
      'req',
      '-x509',
      ...NEW_KEY,
      '-keyout',
      join(folder, 'ca.key'),
      '-out',
      this.file,
      '-subj',
      '/CN=Test CA',
      '-days',
      '3650',
    );
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(join(folder, 'index.txt.attr'), 'unique_subject = no\n');
  }

  /** A certificate for `names` (DNS names or IP addresses) that ends `days` and a half from now; negative: it has expired. `selfSigned`: not by the authority. */
  issue(label: string, names: readonly string[], days: number, selfSigned = false): Certificate {
    const file = (ending: string): string => join(this.#folder, `${label}.${ending}`);
    const [certificate, key, request, settings] = [file('pem'), file('key'), file('csr'), file('cnf')];
    const alternatives = names.map((name) => `${/^[\d.]+$|:/.test(name) ? 'IP' : 'DNS'}:${name}`).join(',');
    writeFileSync(
      settings,
      `[ca]\ndefault_ca = own\n[own]\ndatabase = ${join(this.#folder, 'index.txt')}\nnew_certs_dir = ${this.#folder}\nrand_serial = yes\n` +
        `default_md = sha256\npolicy = any\nx509_extensions = ext\nemail_in_dn = no\n[any]\ncommonName = supplied\n[ext]\nsubjectAltName = ${alternatives}\n`,
    );
    openssl('req', ...NEW_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${names[0]}`);
    const signer = selfSigned
      ? ['-selfsign', '-keyfile', key]
      : ['-cert', this.file, '-keyfile', join(this.#folder, 'ca.key')];
    // Half a day more, so that the count of whole days doesn't depend on the moment.
    openssl(
      'ca',
      '-batch',
      '-notext',
      '-config',
      settings,
      '-in',
      request,
      '-out',
      certificate,
      ...signer,
      '-startdate',
      stamp(-400),
      '-enddate',
      stamp(days + 0.5),
    );
    return { certificate, key };
  }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Days from now as YYYYMMDDHHMMSSZ. */
function stamp(days: number): string {
  const text = new Date(Date.now() + days * 86_400_000).toISOString();
  return `${text.replace(/[-:T]/g, '').slice(0, 14)}Z`;
}
