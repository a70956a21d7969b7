// `meridian events`: what happened, and what happens.

import type { EventView } from '../api/views.ts';
import { limits } from '../base/limits.ts';
import { visible } from '../base/visible.ts';
import { openClient } from './client.ts';
import { EXIT, Failure } from './exit.ts';
import type { ServerOptions } from './options.ts';
import { print } from './output.ts';

export interface EventsOptions extends ServerOptions {
  readonly follow?: true;
  readonly limit?: string;
  readonly json?: true;
}

export async function events(options: EventsOptions): Promise<void> {
  const { limit = '100' } = options;
  if (!/^[1-9][0-9]{0,5}$/.test(limit)) {
    throw new Failure(EXIT.usage, `--limit: "${limit}" is no number from 1 to ${limits.events}`);
  }
  const client = openClient(options);
  const show = (event: EventView): void => {
    print(options.json ? `${JSON.stringify(event)}\n` : formatEventLine(event));
  };
  const path = `/api/v1/events?limit=${limit}`;
  if (!options.follow) {
    const reply = await client.ask<{ events: EventView[] }>('GET', path);
    for (const event of reply.events) show(event);
    return;
  }
  for await (const data of client.follow(path)) show(JSON.parse(data) as EventView);
  throw new Failure(EXIT.server, 'the server has ended the connection');
}

/** One line: when, what kind, what. */
function formatEventLine(event: EventView): string {
  return `${event.at}  ${event.type.padEnd(16)}  ${visible(event.message)}\n`;
}
