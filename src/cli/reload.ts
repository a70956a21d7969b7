// `meridian reload`: has a running server read its files again.

import type { ReloadView } from '../api/views.ts';
import { formatDiagnostic } from '../base/diagnostic.ts';
import { openClient } from './client.ts';
import { EXIT, Failure } from './exit.ts';
import type { ServerOptions } from './options.ts';
import { print } from './output.ts';
import { count } from './table.ts';

/** Throws Failure 1 when a file has errors: the server goes on with what it had. */
export async function reload(options: ServerOptions): Promise<void> {
  const reply = await openClient(options).ask<ReloadView>('POST', '/api/v1/reload');
  for (const diagnostic of [...reply.errors, ...reply.warnings]) print(`${formatDiagnostic(diagnostic)}\n`);
  const changed = reply.changed.length === 0 ? 'nothing changed' : `changed: ${reply.changed.join(' ')}`;
  const removed = reply.removed.length === 0 ? '' : `, removed: ${reply.removed.join(' ')}`;
  print(`${count(reply.zones.length, 'zone')}, ${changed}${removed}\n`);
  if (reply.errors.length > 0) {
    throw new Failure(EXIT.input, `${count(reply.errors.length, 'error')}: what was good before is still served`);
  }
}
