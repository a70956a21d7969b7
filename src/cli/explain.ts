// `meridian explain`: the story of one answer, in order, then the pools and the bytes as tables.
import type { ExplainRequest, Explanation } from '../api/views.ts';
import { visible } from '../base/visible.ts';
import { openClient } from './client.ts';
import { loadSettings } from './config.ts';
import { EXIT, Failure } from './exit.ts';
import { fromFiles } from './offline.ts';
import type { ServerOptions } from './options.ts';
import { print } from './output.ts';
import { type Cell, formatTable, stateCell } from './table.ts';

export interface ExplainOptions extends ServerOptions, ExplainRequest {
  readonly json?: true;
  readonly offline?: true;
}

export async function explain(options: ExplainOptions): Promise<void> {
  const { name, type, client, subnet, resolver } = options;
  if (client !== undefined && subnet !== undefined) {
    throw new Failure(EXIT.usage, '--client and --subnet say the same thing: give one of them');
  }
  const request = { name, type, client, subnet, resolver };
  const explanation = options.offline ? await askFiles(options, request) : await askServer(options, request);
  print(options.json ? `${JSON.stringify(explanation, null, 2)}\n` : formatExplanation(explanation));
}

function askServer(options: ServerOptions, request: ExplainRequest): Promise<Explanation> {
  const asked = new URLSearchParams();
  for (const [key, value] of Object.entries(request)) if (value !== undefined) asked.set(key, value);
  return openClient(options).ask<Explanation>('GET', `/api/v1/explain?${asked}`);
}

async function askFiles(options: ServerOptions, request: ExplainRequest): Promise<Explanation> {
  return fromFiles(({ explainOffline }) => explainOffline(loadSettings(options.config), request));
}

/** The whole text. */
function formatExplanation(explanation: Explanation): string {
  const { question, steps, pools, answer } = explanation;
  const story = steps.map((step, i) => `${String(i + 1).padStart(2)}. ${visible(step)}\n`).join('');
  const members = pools.flatMap((pool) =>
    pool.members.map((member): Cell[] => [
      pool.name,
      stateCell(pool.state),
      pool.distanceKm === null ? '' : String(Math.round(pool.distanceKm)),
      member.address,
      stateCell(member.state),
      member.forced?.state ?? '',
      String(member.weight),
      member.chosen ? { text: 'yes', colour: 'green' } : 'no',
      member.why,
      member.lastProbe === null ? '' : `${member.lastProbe.reason} at ${member.lastProbe.at.slice(11, 19)}Z`,
    ]),
  );
  const head = ['POOL', 'STATE', 'KM', 'MEMBER', 'STATE', 'FORCED', 'WEIGHT', 'CHOSEN', 'WHY', 'LAST PROBE'];
  const records = [...answer.records, ...answer.authority].map((record) => `  ${record}\n`).join('');
  const ttl = answer.ttl === null ? '' : `, TTL ${answer.ttl} (${answer.ttlReason})`;
  const sizes = answer.sizes.map((size): Cell[] => [
    size.transport,
    String(size.octets),
    String(size.records),
    size.truncated ? { text: 'yes', colour: 'yellow' } : 'no',
  ]);
  return [
    `${question.name} ${question.type} in ${question.zone ?? 'no zone of this server'}\n`,
    story,
    formatTable(head, members),
    `${answer.rcode}, scope /${answer.scope}${ttl}\n${records}`,
    formatTable(['OVER', 'OCTETS', 'RECORDS', 'TRUNCATED'], sizes),
  ]
    .filter((part) => part !== '')
    .join('\n');
}
