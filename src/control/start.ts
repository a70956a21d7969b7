// Makes a server from its settings: every part of the control plane, in the order in which they need each other.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { eventView } from '../api/event-view.ts';
import { StartError } from '../api/start-error.ts';
import { formatAddress } from '../base/address.ts';
import { type Clock, systemRandom } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { readTextHere } from '../base/read-file.ts';
import { steadyClock, steadyEpochMs } from '../base/steady.ts';
import type { Storage } from '../base/storage.ts';
import { HealthClient } from '../health/client.ts';
import { type HealthEvent, HealthEventSchema, stateEvent } from '../health/event.ts';
import { EventLog } from '../health/events.ts';
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
import { CookieFile } from './cookie-file.ts';
import { GeoipUpdates } from './geoip-updates.ts';
import { startHealthThread } from './health-thread.ts';
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
  /** Of the state folder, which is open. */
  readonly storage: Storage;
  /** Geography that is already being read. */
  readonly firstGeo?: FirstGeo;
  /** Takes what nobody expected. */
  readonly errors: InternalErrors;
  /** Log lines that found no reader so far. */
  readonly droppedLines: () => number;
}

/** A server that has yet to be started. Throws StartError with what to tell the operator. */
export function makeServer(options: ServerOptions): Server {
  const { settings, clock, log, strict, storage, errors, droppedLines } = options;
  const startedAtMs = clock.nowMs();
  const epochMs = steadyEpochMs();
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
  const events = new EventLog({
    kept: { file: join(settings.state, 'events.jsonl'), storage },
    schema: HealthEventSchema,
  });
  const webhooks = makeWebhooks(options);
  const record = (event: HealthEvent): void => webhooks.send(eventView(events.add(event)));
  storage.onEvent = (kind, text) => record(stateEvent(kind, text, clock.nowMs()));
  const drains = new Drains({ file: join(settings.state, 'answered.json'), storage, nowMs: startedAtMs });
  const targets = new Targets({ board, rows, drains });
  const forcedStates = new ForcedStates({
    file: join(settings.state, 'hand.json'),
    storage,
    clock,
    onChange: () => {
      targets.refresh();
      alarms.look();
    },
  });
  const health = new HealthClient({
    settings: {
      maxConcurrent: settings.health.maxConcurrent,
      blackoutHoldMs: settings.health.blackoutHoldMs,
      rules: {
        ...checkRulesOf(settings),
        admin: { address: formatAddress(settings.admin.listen.address), port: settings.admin.listen.port },
      },
    },
    logLevel: log.level,
    board: board.buffer,
    stateFile: { file: join(settings.state, 'verdicts.json'), storage },
    onEvent: (event) => {
      alarms.look();
      record(event);
    },
    start: (start, onBatch, onEnd) =>
      startHealthThread(start, onBatch, (error) => {
        if (error !== null) errors.report(error, 'health');
        onEnd(error);
      }),
    clock,
    log,
  });
  watchdog.watch({ name: 'health', beat: health.signs, replace: () => health.restart() });
  targets.bind({ forcedStates, health });
  const notifier = new Notifier({ listen: () => threads.listening, clock, log });
  const reloads = new Reloads({
    serving,
    targets,
    health,
    onPublished: ({ changed, removed }) => {
      announceZones(notifier, serving, changed);
      for (const zone of removed) notifier.forget(zone);
    },
    clock,
    log,
  });
  const operator = new Operator({ steadyMs: steadyClock(epochMs), serving, targets, forcedStates, health, clock, log });
  const parts = {
    serving,
    threads,
    targets,
    forcedStates,
    health,
    reloads,
    notifier,
    events,
    webhooks,
    alarms,
    geoipUpdates: new GeoipUpdates(settings, clock, log),
    operator,
    watchdog,
    errors,
    droppedLines,
    steadyEpochMs: epochMs,
    steadyMs: steadyClock(epochMs),
    drains,
    cookies: new CookieFile({ settings: settings.cookies, storage, log }),
    storage,
  };
  return new Server({ ...parts, settings, strict, startedAtMs, clock, log });
}

function makeServing({ settings, firstGeo, storage, clock, log }: ServerOptions): Serving {
  return new Serving({
    zonesDirectory: settings.zones,
    geoDirectory: settings.geoip.directory,
    overridesFile: settings.geoip.overrides,
    stateDirectory: settings.state,
    storage,
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
  let text: string;
  try {
    text = readTextHere(file, limits.cookieFileBytes).trim();
  } catch (error) {
    throw new StartError(`cannot read the webhook secret ${file}: ${(error as Error).message}`);
  }
  // An empty key signs all the same, and whoever knows that can forge events.
  if (text === '')
    throw new StartError(`the webhook secret ${file} is empty: write one made by \`openssl rand -hex 32\``);
  return new Uint8Array(Buffer.from(text));
}
