// Makes a server from its settings: every part of the control plane, in the order in which they need each other.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { eventView } from '../api/event-view.ts';
import { StartError } from '../api/start-error.ts';
import { formatAddress } from '../base/address.ts';
import { type Clock, systemRandom } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { HealthEvent } from '../health/event.ts';
import { EventLog } from '../health/events.ts';
import { Monitor } from '../health/monitor.ts';
import type { FirstGeo } from '../loading/first-geo.ts';
import { Serving } from '../loading/serving.ts';
import { Notifier } from '../notify/notifier.ts';
import { Webhooks } from '../notify/webhooks.ts';
import { checkRulesOf, type Settings } from '../settings/settings.ts';
import { Drains } from '../targets/drains.ts';
import { ForcedStates } from '../targets/forced-states.ts';
import { Targets } from '../targets/targets.ts';
import { Alarms } from './alarms.ts';
import { announceZones } from './announce.ts';
import type { InternalErrors } from './internal-errors.ts';
import { Operator } from './operator.ts';
import { Reloads } from './reloads.ts';
import { Server } from './server.ts';
import { Threads } from './threads.ts';
import { Watchdog } from './watchdog.ts';

export interface ServerOptions {
  readonly settings: Settings;
  readonly log: Logger;
  /** Refuse to start when a file has errors. */
  readonly strict: boolean;
  readonly clock: Clock;
  /** Geography that is already being read. */
  readonly firstGeo?: FirstGeo;
  /** Takes what nobody expected. */
  readonly errors: InternalErrors;
  /** Log lines that found no reader so far. */
  readonly droppedLines: () => number;
}

/** A server that has yet to be started. Throws StartError with what to tell the operator. */
export function makeServer(options: ServerOptions): Server {
  const { settings, clock, log, strict, errors, droppedLines } = options;
  const startedAtMs = clock.nowMs();
  makeFolder(settings.state);
  const serving = makeServing(options);
  const { board, rows, images } = serving;
  const watchdog = new Watchdog({
    clock,
    onHung: (thread) => log.error({ event: 'thread-hung', thread }, 'a thread shows no sign of life and is replaced'),
  });
  const threads = new Threads({
    listen: settings.listen,
    workers: settings.workers ?? Math.min(availableParallelism(), limits.workers),
    realtime: settings.udp.realtime,
    tcp: {
      ...settings.tcp,
      ipv4PrefixBits: settings.rateLimit?.ipv4Prefix ?? limits.clientPrefix4,
      ipv6PrefixBits: settings.rateLimit?.ipv6Prefix ?? limits.clientPrefix6,
    },
    memory: (reader) => rows.memory(reader, images.store, board),
    dropReader: (reader) => images.store.dropReader(reader),
    watchdog,
    onFault: (error, thread) => errors.report(error, thread),
    clock,
    log,
  });
  const alarms = new Alarms({ serving, clock, log });
  const events = new EventLog<HealthEvent>({ file: join(settings.state, 'events.jsonl'), log });
  const webhooks = makeWebhooks(options);
  const drains = new Drains({
    file: join(settings.state, 'answered.json'),
    earlierRun: existsSync(join(settings.state, 'serials.json')),
    nowMs: startedAtMs,
  });
  const targets = new Targets({ board, rows, drains });
  const forcedStates = new ForcedStates({
    file: join(settings.state, 'hand.json'),
    clock,
    log,
    onChange: () => {
      targets.refresh();
      alarms.look();
    },
  });
  const monitor = new Monitor({
    clock,
    random: systemRandom,
    log,
    maxConcurrent: settings.health.maxConcurrent,
    blackoutHoldMs: settings.health.blackoutHoldMs,
    rules: {
      ...checkRulesOf(settings),
      admin: { address: formatAddress(settings.admin.listen.address), port: settings.admin.listen.port },
    },
    stateFile: join(settings.state, 'verdicts.json'),
    onHealth: (id, health) => targets.onHealth(id, health),
    onEvent: (event) => {
      alarms.look();
      webhooks.send(eventView(events.add(event)));
    },
  });
  targets.bind({ forcedStates, health: monitor });
  const notifier = new Notifier({ listen: () => threads.listening, clock, log });
  const reloads = new Reloads({
    serving,
    targets,
    onPublished: ({ changed, removed }) => {
      announceZones(notifier, serving, changed);
      for (const zone of removed) notifier.forget(zone);
    },
    clock,
    log,
  });
  const operator = new Operator({ serving, targets, forcedStates, monitor, clock, log });
  const parts = {
    serving,
    threads,
    targets,
    forcedStates,
    monitor,
    reloads,
    notifier,
    events,
    webhooks,
    alarms,
    operator,
    watchdog,
    errors,
    droppedLines,
  };
  return new Server({ ...parts, settings, strict, startedAtMs, clock, log });
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  } catch (error) {
    throw new StartError(`cannot make the state folder ${folder}: ${(error as Error).message}`);
  }
}

function makeServing({ settings, firstGeo, clock, log }: ServerOptions): Serving {
  return new Serving({
    zonesDirectory: settings.zones,
    geoDirectory: settings.geoip.directory,
    overridesFile: settings.geoip.overrides,
    stateDirectory: settings.state,
    baseDirectory: settings.baseDirectory,
    checkRules: checkRulesOf(settings),
    ...(firstGeo === undefined ? {} : { firstGeo }),
    clock,
    log,
  });
}

function makeWebhooks({ settings, clock, log }: ServerOptions): Webhooks {
  const hooks = settings.health.webhooks.map(({ url, secretFile }) => ({
    url,
    secret: secretFile === null ? null : readSecret(secretFile),
  }));
  return new Webhooks({ clock, random: systemRandom, log, hooks });
}

function readSecret(file: string): Uint8Array {
  try {
    return new Uint8Array(Buffer.from(readFileSync(file, 'utf8').trim()));
  } catch (error) {
    throw new StartError(`cannot read the webhook secret ${file}: ${(error as Error).message}`);
  }
}
