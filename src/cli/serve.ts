// `meridian serve`: starts the admin and the server below it, waits for a signal, stops both within a second.
import { join } from 'node:path';
import { AdminError } from '../admin/admin-error.ts';
import type { Admin } from '../admin/server.ts';
import { newToken, TokensError } from '../admin/tokens.ts';
import { StartError } from '../api/start-error.ts';
import { formatAddress } from '../base/address.ts';
import { systemClock } from '../base/clock.ts';
import { keepHeapsSmall } from '../base/heap.ts';
import { createLog, type Logger } from '../base/log.ts';
import { writeStable } from '../base/stable-file.ts';
import { lowerPriority } from '../control/background.ts';
import type { Demo } from '../control/demo.ts';
import type { Server } from '../control/server.ts';
import { startFirstGeo } from '../loading/first-geo.ts';
import type { Settings } from '../settings/settings.ts';
import { LOCAL_TOKEN_FILE } from './client.ts';
import { loadSettings } from './config.ts';
import { EXIT, Failure } from './exit.ts';

export interface ServeOptions {
  readonly config: string | undefined;
  readonly demo: boolean;
  readonly strict: boolean;
}

/** Time that everything together gets to stop: a supervisor was promised a second. */
const STOP_MS = 900;

/** What runs, in the order in which it was started. */
interface Running {
  demo: Demo | null;
  admin: Admin | null;
  server: Server | null;
}

/** Serves until SIGTERM or SIGINT, then ends the process. Throws Failure when it can't start. */
export async function serve(options: ServeOptions): Promise<void> {
  keepHeapsSmall();
  const settings = loadSettings(options.config);
  const log = createLog(options.demo && settings.log.level === 'info' ? 'error' : settings.log.level);
  const running: Running = { demo: null, admin: null, server: null };
  const stopped = stopOnSignal(running);
  try {
    await start(options, settings, log, running);
  } catch (error) {
    // A signal during the start: what fails now fails because everything is being stopped.
    if (stopped.begun) return stopped.done;
    await stopAll(running);
    // Whatever of it goes on by mistake must not hold the failure back.
    setTimeout(() => process.exit(), STOP_MS).unref();
    throw asFailure(error);
  }
  return stopped.done;
}

async function start(options: ServeOptions, settings: Settings, log: Logger, running: Running): Promise<void> {
  if (options.demo) {
    const { startDemo } = await import('../control/demo.ts');
    running.demo = await startDemo();
  }
  // What takes longest comes first: geography is read and the server starts while the admin's libraries still load.
  const { geoip, state } = settings;
  const firstGeo = startFirstGeo({
    geoDirectory: geoip.directory,
    overridesFile: geoip.overrides,
    stateDirectory: state,
  });
  lowerPriority();
  const { makeServer } = await import('../control/start.ts');
  const server = makeServer({ settings, log, strict: options.strict, clock: systemClock, firstGeo });
  running.server = server;
  const started = server.start();
  started.catch(() => {});
  const { startAdmin } = await import('../admin/server.ts');
  const localToken = newToken();
  const admin = await startAdmin({
    control: server,
    log,
    clock: systemClock,
    host: formatAddress(settings.admin.listen.address),
    port: settings.admin.listen.port,
    hosts: settings.admin.hosts,
    tokensFile: settings.admin.tokensFile,
    localToken,
  });
  running.admin = admin;
  leaveToken(join(settings.state, LOCAL_TOKEN_FILE), localToken, log);
  // From now on: without a listener the signal would end the process. What comes during the start waits for its end.
  process.on('SIGHUP', () => {
    started
      .then(() => server.reload())
      .catch((error: Error) => log.error({ event: 'reload-failed', err: error }, 'the reload failed'));
  });
  await started;
  const { banner, tellEvents } = await import('./banner.ts');
  process.stdout.write(banner(server, admin.url, running.demo));
  if (running.demo !== null) tellEvents(server);
}

/** Whoever may read the state folder may use the commands without a token of their own. */
function leaveToken(file: string, token: string, log: Logger): void {
  try {
    writeStable(file, `${token}\n`, { mode: 0o600 });
  } catch (error) {
    log.warn({ event: 'admin-local-token', file, err: error }, 'no token for local commands could be left');
  }
}

/** Listens to the signals at once, so that a start that takes long can be ended too. */
function stopOnSignal(running: Running): { begun: boolean; done: Promise<void> } {
  let finish = (): void => undefined;
  const state = {
    begun: false,
    done: new Promise<void>((resolve) => {
      finish = resolve;
    }),
  };
  const stop = (): void => {
    if (state.begun) return;
    state.begun = true;
    // What doesn't end by itself is ended: nothing of it outlives the process.
    setTimeout(() => process.exit(EXIT.good), STOP_MS);
    stopAll(running).finally(() => {
      finish();
      process.exit(EXIT.good);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return state;
}

async function stopAll({ admin, server, demo }: Running): Promise<void> {
  await Promise.allSettled([admin?.stop(), server?.stop(), demo?.stop()]);
}

function asFailure(error: unknown): unknown {
  if (error instanceof StartError) return new Failure(error.exitCode, error.message);
  if (error instanceof AdminError || error instanceof TokensError) return new Failure(EXIT.server, error.message);
  return error;
}
