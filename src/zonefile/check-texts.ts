// Lint of TXT records: escapes and line breaks that somebody brought from a master file or an editor, and SPF that contradicts itself.
import { Buffer } from 'node:buffer';
import type { Document } from '../base/document.ts';
import { TYPE } from '../wire/types.ts';
import type { WrittenOwner, WrittenValue } from './records.ts';

/** Reports what is doubtful about the texts of a zone. */
export function lintTexts(document: Document, owners: Iterable<WrittenOwner>): void {
  for (const owner of owners) {
    const values = [TYPE.TXT, TYPE.SPF].flatMap((type) => owner.sets.get(type)?.values ?? []);
    for (const value of values) lintText(document, owner, value);
    const policies = (owner.sets.get(TYPE.TXT)?.values ?? []).filter(isSpf);
    const second = policies[1];
    if (second !== undefined) {
      const message = `${owner.text} has ${policies.length} SPF records, which mail servers take for none (RFC 7208 4.5)`;
      document.report('several-spf', second.offset, message, 'join them into one: v=spf1 with the mechanisms of all');
    }
  }
}

function lintText(document: Document, owner: WrittenOwner, { text, offset, rdata }: WrittenValue): void {
  // What begins with a quote is master-file syntax, where a backslash escapes; every other text is taken as it stands.
  if (!text.startsWith('"') && /\\[;"]/.test(text)) {
    const escaped = /\\[;"]/.exec(text)![0];
    const message = `${owner.text} TXT: the backslash of ${escaped} is a part of the text: nothing is escaped here`;
    document.report('txt-escape', offset, message, `write ${escaped.slice(1)} alone`);
  }
  // 10 and 13 can be lengths of strings too: those are left out.
  if (/[\r\n]/.test(textOf(rdata.bytes))) {
    const fix = 'write it on one line, or with >- so that its lines are joined';
    document.report('txt-newline', offset, `${owner.text} TXT: there is a line break in the text`, fix);
  }
}

function isSpf({ rdata }: WrittenValue): boolean {
  // RFC 7208 4.5: the version, then a space or the end.
  return /^v=spf1(?: |$)/i.test(textOf(rdata.bytes));
}

/** The strings of TXT data, joined as its readers join them. */
function textOf(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += bytes[at]! + 1)
    text += Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, bytes[at]!).toString('latin1');
  return text;
}
