// Holds a zone together: names that values mean, aliases, delegations and their glue, hints past the steering.
import type { Document } from '../base/document.ts';
import { limits } from '../base/limits.ts';
import { isAtOrBelow, lowerName, nameToText, parseName } from '../wire/name.ts';
import { TYPE } from '../wire/types.ts';
import { ZoneNames } from './names.ts';
import { nameKey, type WrittenOwner, type WrittenSet, type WrittenValue } from './records.ts';
import type { DottedName } from './scope.ts';

/** A nameserver of the zone, and where to report what is wrong with it. */
export interface WrittenNameserver {
  readonly name: Uint8Array;
  readonly offset: number;
}

/** What is held together: everything that a zone file says about names. */
export interface ZoneOfNames {
  readonly document: Document;
  /** Wire form, lower case. */
  readonly apex: Uint8Array;
  readonly owners: ReadonlyMap<string, WrittenOwner>;
  readonly nameservers: readonly WrittenNameserver[];
  readonly dottedNames: readonly DottedName[];
  readonly outsideNames: readonly DottedName[];
}

/** Reports everything that only shows when the whole zone is known. */
export function checkIntegrity(zone: ZoneOfNames): void {
  new IntegrityCheck(zone).run();
}

class IntegrityCheck {
  readonly #document: Document;
  readonly #apex: Uint8Array;
  readonly #zone: ZoneOfNames;
  readonly #names: ZoneNames;
  /** Names of nameservers of cuts: addresses there are glue. */
  readonly #glue = new Set<string>();
  /** Where a final dot is missing: nothing more is said about such a value. */
  readonly #undotted = new Set<number>();

  constructor(zone: ZoneOfNames) {
    this.#zone = zone;
    this.#document = zone.document;
    this.#apex = zone.apex;
    this.#names = new ZoneNames(zone.apex, zone.owners);
  }

  run(): void {
    for (const dotted of this.#zone.dottedNames) this.#checkDotted(dotted);
    for (const outside of this.#zone.outsideNames) this.#checkOutside(outside);
    for (const { name, offset } of this.#zone.nameservers) this.#checkNameserver(lowerName(name), offset, undefined);
    for (const owner of this.#zone.owners.values()) {
      if (owner.types.has(TYPE.CNAME)) this.#checkAlias(owner);
      for (const written of owner.sets.values()) {
        this.#checkTargets(owner, written);
        this.#checkCount(owner, written);
      }
      if (owner.types.has(TYPE.DS) && !owner.types.has(TYPE.NS)) this.#reportLoneDs(owner);
    }
    if (this.#anyCut()) for (const owner of this.#zone.owners.values()) this.#checkBelowCut(owner);
  }

  #anyCut(): boolean {
    for (const owner of this.#zone.owners.values()) if (owner.types.has(TYPE.NS)) return true;
    return false;
  }

  /** The classic mistake: a name outside of the zone, written without its final dot. */
  #checkDotted({ text, wire, document, offset }: DottedName): void {
    const name = lowerName(wire);
    if (!isAtOrBelow(name, this.#apex) || this.#names.covers(name)) return;
    if (document === this.#document) this.#undotted.add(offset);
    const whole = nameToText(wire);
    const message = `"${text}" has no final dot and so means ${whole}, which this zone does not have; ${text}. would be a name of its own`;
    document.report('missing-final-dot', offset, message, `write "${text}." (or "${whole}", once that has records)`);
  }

  /** The mistake the other way round: a name of the zone, written with a final dot. */
  #checkOutside({ text, document, offset }: DottedName): void {
    const bare = text.slice(0, -1);
    const inside = parseName(bare, this.#apex);
    if (bare === '' || !inside.ok || this.#names.owner(lowerName(inside.wire)) === undefined) return;
    const message = `"${text}" is a name of its own at the top of the DNS; this zone has ${nameToText(inside.wire)}`;
    document.report('extra-final-dot', offset, message, `write "${bare}"`);
  }

  #checkAlias(owner: WrittenOwner): void {
    const { offset } = owner.types.get(TYPE.CNAME)!;
    if (owner.name.length === this.#apex.length) {
      const fix = 'use ADDR with pools or addresses';
      this.#document.report(
        'cname-at-apex',
        offset,
        'the zone itself cannot be an alias: it has SOA and NS (RFC 1034 3.6.2)',
        fix,
      );
    } else if (owner.types.size > 1) {
      const others = [...new Set([...owner.types.values()].map(({ text }) => text))].filter((text) => text !== 'CNAME');
      const message = `${owner.text} is an alias and cannot have ${others.join(', ')} too (RFC 1034 3.6.2)`;
      this.#document.report('cname-and-other-data', offset, message, 'keep either the CNAME or the other records');
    }
    const written = owner.sets.get(TYPE.CNAME);
    const second = written?.values[1];
    if (second !== undefined) {
      const fix = 'keep one; to share clients between names, steer it with pools of names';
      this.#document.report('several-cnames', second.offset, 'a name has one alias at most (RFC 2181 10.1)', fix);
    } else if (written?.set.kind === 'static') this.#checkLoop(owner, offset);
  }

  #checkLoop(owner: WrittenOwner, offset: number): void {
    let at: WrittenOwner | undefined = owner;
    for (let link = 0; link < limits.aliasLinks && at !== undefined; link++) {
      const target: Uint8Array | undefined = at.sets.get(TYPE.CNAME)?.values[0]?.hosts[0]?.wire;
      if (target === undefined) return;
      const name = lowerName(target);
      at = isAtOrBelow(name, this.#apex) ? this.#names.find(name) : undefined;
      if (at === owner) {
        const fix = 'point one of the aliases at a name with addresses';
        this.#document.report('cname-loop', offset, `${owner.text} is an alias that leads back to itself`, fix);
        return;
      }
    }
  }

  #checkCount(owner: WrittenOwner, { set, typeText, offset, values }: WrittenSet): void {
    if (set.kind !== 'static' || values.length <= limits.resolverSetRecords) return;
    const message = `${owner.text} has ${values.length} ${typeText} records: BIND's resolvers take ${limits.resolverSetRecords} of a set, and answer SERVFAIL above that`;
    this.#document.report(
      'many-records',
      offset,
      message,
      'spread them over several names, or put them into a pool with answers',
    );
  }

  #checkTargets(owner: WrittenOwner, { set, values }: WrittenSet): void {
    switch (set.type) {
      case TYPE.NS:
        for (const { hosts, offset } of values) {
          const name = hosts[0] === undefined ? undefined : lowerName(hosts[0].wire);
          if (name === undefined) continue;
          this.#glue.add(nameKey(name));
          this.#checkNameserver(name, offset, owner);
        }
        return;
      case TYPE.MX:
      case TYPE.SRV:
        for (const value of values) this.#checkTarget(value, set.type === TYPE.MX ? 'RFC 2181 10.3' : 'RFC 2782');
        return;
      case TYPE.CNAME:
        for (const value of values) this.#checkTarget(value, null);
        return;
      case TYPE.SVCB:
      case TYPE.HTTPS:
        for (const value of values) this.#checkHints(owner, value);
        return;
      default:
        return;
    }
  }

  /** `aliasRule` is the RFC that forbids the target to be an alias; null: it may be one. */
  #checkTarget({ hosts, offset }: WrittenValue, aliasRule: string | null): void {
    const host = hosts[0];
    if (host === undefined) return;
    const name = lowerName(host.wire);
    if (name.length === 1 || !isAtOrBelow(name, this.#apex) || this.#undotted.has(offset)) return;
    const owner = this.#names.find(name);
    if (aliasRule !== null && owner?.types.has(TYPE.CNAME)) {
      const fix = 'name the host that has the addresses';
      this.#document.report(
        'target-is-alias',
        offset,
        `${host.text} is an alias, which ${aliasRule} forbids here`,
        fix,
      );
    }
    if (!this.#names.covers(name)) {
      const fix = `give ${nameToText(name)} records, or correct the name`;
      this.#document.report('target-missing', offset, `${host.text} has no records in this zone`, fix);
    }
  }

  /** A nameserver inside of the zone needs an address; `cut` is the delegation that names it, if it isn't the zone's own. */
  #checkNameserver(name: Uint8Array, offset: number, cut: WrittenOwner | undefined): void {
    if (!isAtOrBelow(name, this.#apex) || this.#undotted.has(offset)) return;
    const around = this.#names.cut(name);
    // Below another cut its address is the business of that zone.
    if (around !== undefined && around !== cut) return;
    const owner = around === undefined ? this.#names.find(name) : this.#names.owner(name);
    if (owner?.broken) return;
    const text = nameToText(name);
    if (owner?.types.has(TYPE.CNAME)) {
      const fix = `give ${text} addresses instead of the CNAME`;
      this.#document.report(
        'ns-is-alias',
        offset,
        `the nameserver ${text} is an alias, which RFC 2181 10.3 forbids`,
        fix,
      );
      return;
    }
    const kinds = [TYPE.A, TYPE.AAAA].map((type) => owner?.sets.get(type)?.set.kind);
    if (kinds.every((kind) => kind === undefined)) {
      const fix = `add A or AAAA records for ${text}`;
      this.#document.report(
        'ns-without-address',
        offset,
        `the nameserver ${text} is in this zone but has no address`,
        fix,
      );
    } else if (around !== undefined && !kinds.includes('static')) {
      const fix = `give ${text} static addresses`;
      this.#document.report('steered-glue', offset, `the glue of ${text} cannot be steered`, fix);
    }
  }

  /** RFC 9460 7.3: hints stand in for the target's addresses, so they would carry clients past the steering. */
  #checkHints(owner: WrittenOwner, { rdata, hosts, offset }: WrittenValue): void {
    if (!hasAddressHints(rdata.bytes) || hosts[0] === undefined) return;
    const target = hosts[0].wire.length === 1 ? owner.name : lowerName(hosts[0].wire);
    let at = isAtOrBelow(target, this.#apex) ? this.#names.find(target) : undefined;
    for (let link = 0; link < limits.aliasLinks && at !== undefined; link++) {
      const kinds = [TYPE.A, TYPE.AAAA, TYPE.CNAME].map((type) => at?.sets.get(type)?.set.kind);
      if (kinds.includes('steered')) {
        const message = `the addresses of ${nameToText(target)} are steered; a hint would lead clients past the steering`;
        this.#document.report('hint-bypasses-steering', offset, message, 'remove ipv4hint and ipv6hint');
        return;
      }
      const alias = at.sets.get(TYPE.CNAME)?.values[0]?.hosts[0]?.wire;
      const next = alias === undefined ? undefined : lowerName(alias);
      at = next !== undefined && isAtOrBelow(next, this.#apex) ? this.#names.find(next) : undefined;
    }
  }

  #reportLoneDs(owner: WrittenOwner): void {
    const { offset } = owner.types.get(TYPE.DS)!;
    const message = `the DS of ${owner.text} stands at no delegation, where nobody looks for it`;
    this.#document.report(
      'ds-without-ns',
      offset,
      message,
      "a zone's own DS belongs into its parent; a child's needs NS beside it",
    );
  }

  #checkBelowCut(owner: WrittenOwner): void {
    const cut = this.#names.cut(owner.name);
    if (cut === undefined) return;
    const isGlue = this.#glue.has(nameKey(owner.name));
    for (const [type, { text, offset }] of owner.types) {
      if (owner === cut && (type === TYPE.NS || type === TYPE.DS)) continue;
      if (isGlue && (type === TYPE.A || type === TYPE.AAAA)) continue;
      const message = `${owner.text} ${text} is not served: ${cut.text} is delegated`;
      this.#document.report(
        'below-cut',
        offset,
        message,
        `move it to the nameservers of ${cut.text}, or remove the delegation`,
      );
    }
  }
}

const IPV4HINT = 4;
const IPV6HINT = 6;

/** Whether SVCB data (priority, target, then key, length, value each) has ipv4hint or ipv6hint. */
function hasAddressHints(bytes: Uint8Array): boolean {
  let at = 2;
  while (at < bytes.length && bytes[at] !== 0) at += bytes[at]! + 1;
  for (at += 1; at + 4 <= bytes.length; ) {
    const key = (bytes[at]! << 8) | bytes[at + 1]!;
    if (key === IPV4HINT || key === IPV6HINT) return true;
    at += 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
  }
  return false;
}
