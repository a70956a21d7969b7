// What the data of each record type consists of: the one description that reading, checking and printing share.
import {
  address,
  base64,
  characterString,
  characterStrings,
  compressibleName,
  type Field,
  finalText,
  hexadecimal,
  name,
  tag,
  unsigned,
} from './rdata-field.ts';
import { location } from './rdata-loc.ts';
import { serviceMistake, serviceParameters } from './rdata-svcb.ts';
import { TYPE } from './types.ts';

/** The data of one type. */
export interface RdataForm {
  readonly fields: readonly Field[];
  /** A correct value, shown with every mistake. */
  readonly example: string;
  /** What is wrong with data whose fields are well formed each, or null. */
  mistake?(bytes: Uint8Array): string | null;
}

/** RFC 4034 A.1 and its successors. */
const DNSSEC_ALGORITHMS = {
  DELETE: 0,
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  'DSA-NSEC3-SHA1': 6,
  'RSASHA1-NSEC3-SHA1': 7,
  RSASHA256: 8,
  RSASHA512: 10,
  'ECC-GOST': 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
};
/** RFC 7218 2. */
const TLSA_USAGES = { 'PKIX-TA': 0, 'PKIX-EE': 1, 'DANE-TA': 2, 'DANE-EE': 3, PRIVCERT: 255 };
const TLSA_SELECTORS = { CERT: 0, SPKI: 1, PRIVSEL: 255 };
const TLSA_MATCHINGS = { FULL: 0, 'SHA2-256': 1, 'SHA2-512': 2, PRIVMATCH: 255 };
/** RFC 4398 2.1. */
const CERTIFICATE_TYPES = {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
};

const SHA256_EXAMPLE = '2BB183AF5F22588179A53B0A98631FAD1A2921180F0E1D2C3B4A59687766554A';

const preference = unsigned('preference', 2);
const algorithm = unsigned('algorithm', 1, DNSSEC_ALGORITHMS);

const hostName: RdataForm = { fields: [compressibleName('host name')], example: 'ns1.example.net.' };
const mailbox: RdataForm = { fields: [compressibleName('mailbox name')], example: 'mail.example.net.' };
const text: RdataForm = { fields: [characterStrings('text')], example: '"v=spf1 -all"' };

const tlsa: RdataForm = {
  fields: [
    unsigned('usage', 1, TLSA_USAGES),
    unsigned('selector', 1, TLSA_SELECTORS),
    unsigned('matching type', 1, TLSA_MATCHINGS),
    hexadecimal('certificate data'),
  ],
  example: `3 1 1 ${SHA256_EXAMPLE}`,
  mistake: (bytes) => digestMistake('matching type', bytes[2]!, bytes.length - 3, { 1: 32, 2: 64 }),
};

const dsFields = [unsigned('key tag', 2), algorithm, unsigned('digest type', 1), hexadecimal('digest')];
/** RFC 4034 5.1.4, RFC 4509, RFC 5933, RFC 6605. */
const DS_DIGEST_OCTETS = { 1: 20, 2: 32, 3: 32, 4: 48 };
const ds: RdataForm = {
  fields: dsFields,
  example: `60485 13 2 ${SHA256_EXAMPLE}`,
  mistake: (bytes) => digestMistake('digest type', bytes[3]!, bytes.length - 4, DS_DIGEST_OCTETS),
};

const keyFields = [unsigned('flags', 2), unsigned('protocol', 1), algorithm, base64('public key')];
const dnskey: RdataForm = {
  fields: keyFields,
  example: '257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=',
  // RFC 4034 2.1.2.
  mistake: (bytes) => (bytes[2] === 3 ? null : `the protocol must be 3, not ${bytes[2]}`),
};

const service: RdataForm = {
  fields: [unsigned('priority', 2), name('target name'), serviceParameters()],
  example: '1 . alpn="h2,h3"',
  mistake: serviceMistake,
};

/** Types of RFC 1035 have compressible names, all others must not (RFC 3597 4). */
const FORMS: ReadonlyMap<number, RdataForm> = new Map<number, RdataForm>([
  [TYPE.A, { fields: [address(4)], example: '192.0.2.1' }],
  [TYPE.NS, hostName],
  [TYPE.MD, hostName],
  [TYPE.MF, hostName],
  [TYPE.CNAME, { fields: [compressibleName('target')], example: 'www.example.net.' }],
  [
    TYPE.SOA,
    {
      fields: [
        compressibleName('primary name server'),
        compressibleName('mailbox of the zone'),
        ...['serial', 'refresh', 'retry', 'expire', 'minimum'].map((label) => unsigned(label, 4)),
      ],
      example: 'ns1.example.net. hostmaster.example.net. 2026010101 7200 900 1209600 300',
    },
  ],
  [TYPE.MB, mailbox],
  [TYPE.MG, mailbox],
  [TYPE.MR, mailbox],
  [TYPE.PTR, { fields: [compressibleName('target')], example: 'host.example.net.' }],
  [TYPE.HINFO, { fields: [characterString('CPU'), characterString('operating system')], example: '"RFC8482" ""' }],
  [
    TYPE.MINFO,
    {
      fields: [compressibleName('responsible mailbox'), compressibleName('error mailbox')],
      example: 'list.example.net. errors.example.net.',
    },
  ],
  [TYPE.MX, { fields: [preference, compressibleName('mail host')], example: '10 mail.example.net.' }],
  [TYPE.TXT, text],
  [TYPE.RP, { fields: [name('mailbox'), name('TXT name')], example: 'admin.example.net. .' }],
  [TYPE.AFSDB, { fields: [unsigned('subtype', 2), name('host')], example: '1 afs.example.net.' }],
  [TYPE.X25, { fields: [characterString('PSDN address')], example: '"311061700956"' }],
  [TYPE.RT, { fields: [preference, name('intermediate host')], example: '10 relay.example.net.' }],
  [TYPE.AAAA, { fields: [address(6)], example: '2001:db8::1' }],
  [TYPE.LOC, { fields: [location()], example: '52 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m' }],
  [
    TYPE.SRV,
    {
      fields: [unsigned('priority', 2), unsigned('weight', 2), unsigned('port', 2), name('target')],
      example: '10 5 443 www.example.net.',
    },
  ],
  [
    TYPE.NAPTR,
    {
      fields: [
        unsigned('order', 2),
        preference,
        characterString('flags'),
        characterString('services'),
        characterString('regular expression'),
        name('replacement'),
      ],
      example: '100 10 "S" "SIP+D2U" "" _sip._udp.example.net.',
    },
  ],
  [TYPE.KX, { fields: [preference, name('exchanger')], example: '10 kx.example.net.' }],
  [
    TYPE.CERT,
    {
      fields: [
        unsigned('certificate type', 2, CERTIFICATE_TYPES),
        unsigned('key tag', 2),
        algorithm,
        base64('certificate'),
      ],
      example: 'PGP 0 0 mQINBFit2ioBEADh',
    },
  ],
  [TYPE.DNAME, { fields: [name('target')], example: 'example.net.' }],
  [TYPE.DS, ds],
  [
    TYPE.SSHFP,
    {
      fields: [unsigned('algorithm', 1), unsigned('fingerprint type', 1), hexadecimal('fingerprint')],
      example: `4 2 ${SHA256_EXAMPLE}`,
      mistake: (bytes) => digestMistake('fingerprint type', bytes[1]!, bytes.length - 2, { 1: 20, 2: 32 }),
    },
  ],
  [TYPE.DNSKEY, dnskey],
  [TYPE.DHCID, { fields: [base64('identity')], example: 'AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=' }],
  [TYPE.TLSA, tlsa],
  [TYPE.SMIMEA, tlsa],
  // RFC 8078 4: `0 0 0 00` asks the parent to remove the DS.
  [
    TYPE.CDS,
    {
      fields: dsFields,
      example: ds.example,
      mistake: (bytes) => (isDelete(bytes) ? null : ds.mistake!(bytes)),
    },
  ],
  // RFC 8078 4: `0 3 0 AA==` asks the parent to remove the DS; it satisfies what a DNSKEY must.
  [TYPE.CDNSKEY, dnskey],
  [TYPE.OPENPGPKEY, { fields: [base64('public key')], example: 'mQINBFit2ioBEADh' }],
  [
    TYPE.ZONEMD,
    {
      fields: [unsigned('serial', 4), unsigned('scheme', 1), unsigned('hash algorithm', 1), hexadecimal('digest')],
      example: `2026010101 1 1 ${'00'.repeat(48)}`,
      mistake: (bytes) => digestMistake('hash algorithm', bytes[5]!, bytes.length - 6, { 1: 48, 2: 64 }),
    },
  ],
  [TYPE.SVCB, service],
  [TYPE.HTTPS, service],
  [TYPE.SPF, text],
  [TYPE.L32, { fields: [preference, address(4)], example: '10 192.0.2.1' }],
  [TYPE.LP, { fields: [preference, name('pointer')], example: '10 l64.example.net.' }],
  [
    TYPE.URI,
    {
      fields: [unsigned('priority', 2), unsigned('weight', 2), finalText('target', 1)],
      example: '10 1 "https://www.example.net/path"',
    },
  ],
  [
    TYPE.CAA,
    { fields: [unsigned('flags', 1), tag('tag'), finalText('value', 0)], example: '0 issue "letsencrypt.org"' },
  ],
]);

/** The description of a type's data; undefined for types that only have the generic form of RFC 3597. */
export function rdataForm(type: number): RdataForm | undefined {
  return FORMS.get(type);
}

/** Whether the octets are well formed data of the described type. */
export function isWellFormed(form: RdataForm, bytes: Uint8Array): boolean {
  let at = 0;
  for (const field of form.fields) {
    at = field.skip(bytes, at);
    if (at < 0) return false;
  }
  return at === bytes.length && (form.mistake?.(bytes) ?? null) === null;
}

function digestMistake(
  what: string,
  kind: number,
  octets: number,
  sizes: Readonly<Record<number, number>>,
): string | null {
  const size = sizes[kind];
  return size === undefined || size === octets ? null : `${what} ${kind} has ${size} octets, here stand ${octets}`;
}

function isDelete(bytes: Uint8Array): boolean {
  return bytes.length === 5 && bytes.every((octet) => octet === 0);
}
