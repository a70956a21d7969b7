// The catalogue of diagnostic codes: each once, with its severity and what it means; docs/errors.md explains them at length.
import type { Severity } from './diagnostic.ts';

interface CodeEntry {
  readonly severity: Severity;
  readonly meaning: string;
}

function error(meaning: string): CodeEntry {
  return { severity: 'error', meaning };
}

function warning(meaning: string): CodeEntry {
  return { severity: 'warning', meaning };
}

/** Every code a diagnostic can carry. A code that was released is never renamed or given another meaning. */
export const CODES = {
  // YAML
  'yaml-syntax': error('the text is not valid YAML 1.2'),
  'yaml-tab': error('a tab stands where YAML wants spaces'),
  'yaml-character': error('a character that YAML does not allow'),
  'not-utf8': error('the file is not UTF-8 text'),
  'too-large': error('the file is larger than what is read'),
  'yaml-too-deep': error('nested deeper than any file needs'),
  'yaml-documents': error('more than one document in a file'),
  'yaml-directive': error('a %YAML or %TAG line'),
  'yaml-tag': error('a tag such as !!str'),
  'yaml-merge': error('a merge key (<<)'),
  'yaml-alias': error('an alias without its anchor'),
  'yaml-aliases': error('aliases that stand for too much'),
  'yaml-key': error('a key that is a list or a map'),
  'duplicate-key': error('a key that stands twice in one map'),
  'empty-value': error('a key or list element without a value'),
  'quote-it': error('a value that YAML misunderstands without quotes'),
  'quote-in-list': error('a TXT, SVCB or HTTPS value in [ ] without quotes'),

  // Shapes and plain values
  'unknown-key': error('a key that means nothing here'),
  'missing-key': error('a key that must be there is not'),
  'wrong-shape': error('a list where a map should be, or the like'),
  'one-of': error('several keys of which exactly one must stand'),
  'no-values': error('a list without elements'),
  'too-many': error('more than the program handles'),
  'without-effect': error('a key that has no effect where it stands'),
  unsupported: error('something that is not supported'),
  placeholder: warning('a value copied from the documentation'),
  'bad-number': error('no decimal number'),
  'out-of-range': error('a number or duration beyond its bounds'),
  'bad-duration': error('no duration'),
  'bad-ttl': error('no TTL'),
  'ttl-range': error('a TTL beyond its bounds'),
  'bad-choice': error('none of the words that may stand here'),
  'bad-value': error('a value of the wrong form'),
  'bad-regex': error('no regular expression'),
  'bad-path': error('no path of a file'),
  'bad-address': error('no IP address'),
  'wrong-family': error('an address of the other family'),
  'bad-network': error('no network'),
  'host-bits': error('a network with address bits set behind its length'),
  'bad-name': error('no domain name, or a name that cannot stand here'),

  // Names
  'zone-file-name': error('a zone in the file of another'),
  'name-outside-zone': error('an owner that is not in the zone'),
  'name-not-absolute': error('a name without final dot where no zone is'),
  'missing-final-dot': error('a name that would exist with a final dot only'),
  'doubled-zone': warning('a relative name that ends in the name of the zone'),
  'duplicate-name': error('two keys for one owner'),
  'wildcard-position': warning('a * that is no wildcard'),
  'wildcard-ns': error('a delegation at a wildcard'),

  // Records
  'unknown-type': error('no type of record'),
  'bad-record': error('data that does not fit the type'),
  'no-records': warning('a name without records'),
  'duplicate-type': error('one type under two spellings'),
  'duplicate-value': warning('the same value twice'),
  'soa-in-records': error('SOA among the records'),
  'ns-in-records': error("the zone's own NS among the records"),
  'addr-and-address': error('ADDR beside A or AAAA'),
  'cname-and-other-data': error('an alias with other records'),
  'cname-at-apex': error('an alias at the zone itself'),
  'several-cnames': error('a name with two aliases'),
  'many-records': warning('a record set with more records than some resolvers take'),
  'cname-loop': warning('aliases that lead in a circle'),
  'target-is-alias': warning('an MX or SRV whose target is an alias'),
  'target-missing': warning('a target in the zone that has no records'),
  'ns-is-alias': error('a nameserver that is an alias'),
  'ns-without-address': error('a nameserver in the zone without address'),
  'steered-glue': error('glue that is steered'),
  'below-cut': warning('records below a delegation that nobody gets'),
  'ds-without-ns': warning('a DS where no delegation is'),
  'hint-bypasses-steering': error('an address hint for a steered name'),

  // Places and regions
  'unknown-country': error('no country code'),
  'unknown-place': error('no place'),
  'bad-as': error('no AS number'),
  'bad-city': error('no city'),
  'unknown-region': error('a region that does not exist'),
  'duplicate-place': error('a place twice in one region or record set'),
  'place-in-two-regions': warning('a place that two regions have'),
  'networks-overlap': warning('a network inside of another'),
  'region-never-matches': warning('a region that others cover'),
  'region-nearly-covered': warning('a region for clients without a known subdivision alone'),
  'place-without-addresses': warning('a place that no client is in'),
  'no-as-data': warning('an AS without a database for it'),
  'no-city-data': warning('a city without a database for it'),
  'no-subdivision-data': warning('a subdivision without a database for it'),
  'closest-by-country': warning('closest without coordinates of clients'),

  // Pools and checks
  'unknown-pool': error('a pool that does not exist'),
  'unknown-check': error('a check that does not exist'),
  'check-too-large': error('a combination of more checks than anybody can probe'),
  'check-cycle': error('a check that is part of itself'),
  'bad-key': error('no WireGuard key'),
  'exec-not-allowed': error('an exec check that settings forbid'),
  'file-not-allowed': error('a file check outside of the folders that settings name'),
  'link-local': error('a probe of a link-local or metadata address'),
  'mixed-members': error('a pool with names and addresses'),
  'duplicate-member': error('a member twice in a pool'),
  'shared-name': warning('two members of one family with one name'),
  'min-live-unreachable': warning('a pool that can never be up'),
  'timeout-over-interval': warning('a probe that waits longer than its interval'),
  'unused-pool': warning('a pool that nothing uses'),
  'unused-check': warning('a check that nothing uses'),
  'unused-region': warning('a region that nothing uses'),

  // Steering
  'not-steerable': error('pools for a type that cannot be steered'),
  'no-default': error('regions without default'),
  'wrong-pool': error('a pool of names for addresses, or the other way round'),
  'pool-without-at': error('closest over a pool without place'),
  'duplicate-pool': error('a pool twice in one list'),
  'nodata-when-all-down': warning('NODATA that resolvers cache for everybody'),
  'slow-failover': warning('failover slower than a minute'),
  'weights-without-effect': warning('weights where every member is answered'),
  'answer-too-long': warning('more addresses than a packet holds'),
  'one-family': warning('pools of one address family under ADDR'),
  'steered-cname-outside': warning('a CNAME that differs by client and leads out of the zone'),
  'never-answers': warning('a record set whose pools have no member of its family'),
  'transfer-ignores-health': warning('secondaries do not follow health'),
  'common-broken': error('a zone that uses a broken _common.yaml'),

  // Settings
  'admin-without-tokens': error('an admin that others can reach, without tokens'),
  'bad-listen': error('no address and port to listen on'),

  // Geographic overrides
  'duplicate-network': error('a network that stands twice in the overrides'),
  'network-in-two-lists': warning('a network that two lists place differently; the first holds'),
  'build-failed': error('a file that takes too much time or memory, or on which the program fails'),
  'linked-file': error('a link out of the zones folder, to a file that is none of the zone'),
  'unreadable-file': error('a file that is named here cannot be read'),
  'unread-database': warning('a file or folder among the databases that is not read as it is'),
  'empty-place': error('a place that says nothing'),
  'place-mismatch': error('parts of a place that contradict each other'),
  'embedded-network': error('a part of an IPv6 block that carries IPv4 addresses'),

  // Cookie secrets
  'bad-cookie-secret': error('a line of the cookie secret file that is no secret, or a file without one'),
  'cookie-secret-exposed': warning('the cookie secret file is open to every user'),
} as const satisfies Record<string, CodeEntry>;

export type Code = keyof typeof CODES;
