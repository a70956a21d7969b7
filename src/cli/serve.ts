// `meridian serve`: starts the admin and the server below it, waits for a signal, stops both within a second.

import { join } from 'node:path';
import { AdminError } from '../admin/admin-error.ts';
import type { Admin } from '../admin/server.ts';
import { newToken, TokensError } from '../admin/tokens.ts';
import { StartError } from '../api/start-error.ts';
import { formatAddress } from '../base/address.ts';
import { systemClock } from '../base/clock.ts';
import { keepHeapsSmall } from '../base/heap.ts';
import { limits } from '../base/limits.ts';
import { LineSink } from '../base/line-sink.ts';
import { type Logger, openServerLog } from '../base/log.ts';
import { fileLane } from '../base/read-file.ts';
import { StateFile } from '../base/state-file.ts';
import type { Storage } from '../base/storage.ts';
import { lowerPriority, raisePriority } from '../control/background.ts';
import type { Demo } from '../control/demo.ts';
import type { Handover } from '../control/handover.ts';
import { InternalErrors } from '../control/internal-errors.ts';
import type { Server } from '../control/server.ts';
import { managerOf, ServiceManager } from '../control/service-manager.ts';
import type { Takeover } from '../control/takeover.ts';
import { startFirstGeo } from '../loading/first-geo.ts';
import { loadFfi } from '../serve/ffi.ts';
import { socketsOfManager } from '../serve/given.ts';
import type { Settings } from '../settings/settings.ts';
import { LOCAL_TOKEN_FILE } from './client.ts';
import { loadSettings } from './config.ts';
import { tellAnswers } from './detach.ts';
import { EXIT, Failure } from './exit.ts';

export interface ServeOptions {
  readonly config: string | undefined;
  readonly demo: boolean;
  readonly strict: boolean;
  /** Take over from the server that runs, if one does. */
  readonly replace: boolean;
}

/** What runs, in the order in which it was started. */
interface Running {
  demo: Demo | null;
  admin: Admin | null;
  server: Server | null;
  /** The server that this one comes to replace. */
  takeover: Takeover | null;
  /** Lets another one replace this one. */
  handover: Handover | null;
  manager: ServiceManager | null;
}

/** Serves until SIGTERM or SIGINT, then ends the process. Throws Failure when it can't start. */
export async function serve(options: ServeOptions): Promise<void> {
  keepHeapsSmall();
  ignoreSignals();
  const settings = loadSettings(options.config);
  const { log, sink } = openServerLog(options.demo && settings.log.level === 'info' ? 'error' : settings.log.level);
  const errors = new InternalErrors({ clock: systemClock, log });
  errors.catchAll();
  const running: Running = {
    demo: null,
    admin: null,
    server: null,
    takeover: null,
    handover: null,
    manager: null,
  };
  const stopped = stopOnSignal(running, errors, sink);
  try {
    await start(options, settings, { log, sink, errors }, running, stopped.now);
  } catch (error) {
    // A signal during the start: what fails now fails because everything is being stopped.
    if (stopped.begun) return stopped.done;
    errors.stop();
    await stopAll(running);
    // Whatever of it goes on by mistake must not hold the failure back.
    setTimeout(() => endProcess(Number(process.exitCode ?? EXIT.server)), limits.processStopMs).unref();
    throw asFailure(error);
  }
  return stopped.done;
}

/** SIGUSR1 would open a debugger, SIGHUP before the server listens to it would end the start. */
function ignoreSignals(): void {
  process.on('SIGUSR1', () => {});
  process.on('SIGHUP', () => {});
}

/** What a server tells to its operator, and where. */
interface Voices {
  readonly log: Logger;
  readonly sink: LineSink;
  readonly errors: InternalErrors;
}

/** Files that are read on this thread: where one of them hangs the program says so and ends, and doesn't hang too. */
async function demandAnswers({ admin, cookies, health, state }: Settings): Promise<void> {
  const secrets = health.webhooks.map(({ secretFile }) => secretFile).filter((file) => file !== null);
  for (const file of [state, admin.tokensFile, cookies.secretFile, ...secrets]) {
    await fileLane.look(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ETIMEDOUT') throw new StartError(error.message);
    });
  }
}

async function start(
  options: ServeOptions,
  settings: Settings,
  voices: Voices,
  running: Running,
  end: () => void,
): Promise<void> {
  const { log, sink, errors } = voices;
  if (options.demo) {
    const { startDemo } = await import('../control/demo.ts');
    running.demo = await startDemo();
  }
  await demandAnswers(settings);
  const ffi = loadFfi();
  const asked = managerOf(process.env, process.pid);
  const given = ffi === null ? [] : socketsOfManager(ffi, process.env, process.pid);
  const { adminSocket, findRunning, offerHandover } = await import('./replace.ts');
  const takeover = options.replace ? await findRunning(ffi, settings, log) : null;
  running.takeover = takeover;
  const { openStateFolder } = await import('../control/state-folder.ts');
  const { storage, lock } = await openStateFolder(
    settings.state,
    [...settings.listen, settings.admin.listen].map(({ text }) => text),
    systemClock,
    log,
    takeover,
  );
  // What takes longest comes first: geography is read and the server starts while the admin's libraries still load.
  const { geoip, state } = settings;
  const firstGeo = startFirstGeo({
    geoDirectory: geoip.directory,
    overridesFile: geoip.overrides,
    stateDirectory: state,
  });
  lowerPriority();
  const { makeServer } = await import('../control/start.ts');
  const server = makeServer({
    settings,
    log,
    strict: options.strict,
    clock: systemClock,
    storage,
    firstGeo,
    errors,
    takeover,
    given,
    droppedLines: () => sink.dropped,
  });
  running.server = server;
  const started = server.start();
  started.catch(() => {});
  const { startAdmin } = await import('../admin/server.ts');
  // The one that is replaced knows what happens until its state is here.
  if (takeover !== null) await started;
  const tokenFile = join(settings.state, LOCAL_TOKEN_FILE);
  // Who has just read the token of the server before may use it here.
  const localToken = storage.given(tokenFile)?.trim() ?? newToken();
  const openAdmin = (fd: number | null): Promise<Admin> =>
    startAdmin({
      fd,
      carried: () => takeover?.counters ?? {},
      control: server,
      log,
      clock: systemClock,
      host: formatAddress(settings.admin.listen.address),
      port: settings.admin.listen.port,
      hosts: settings.admin.hosts,
      tokensFile: settings.admin.tokensFile,
      localToken,
      onTokensProblem: (problem) => {
        if (problem === null) storage.repaired(settings.admin.tokensFile);
        else storage.damage(settings.admin.tokensFile, problem);
      },
    });
  const socket = adminSocket(takeover?.sockets ?? given, settings);
  if (socket !== null) takeover?.use([socket.fd]);
  const admin = await openAdmin(socket?.fd ?? null);
  running.admin = admin;
  server.adminListens(admin.port);
  errors.recover = () => {
    server.recover();
    void keepAdminAlive(running, () => openAdmin(null), log);
  };
  const left = leaveToken(tokenFile, localToken, storage);
  // From now on: without a listener the signal would end the process. What comes during the start waits for its end.
  process.on('SIGHUP', () => {
    started
      .then(() => running.manager?.reloading())
      .then(() => server.reload())
      .finally(() => running.manager?.reloaded())
      .catch((error: Error) => log.error({ event: 'reload-failed', err: error }, 'the reload failed'));
  });
  await started;
  const address = asked ?? takeover?.manager ?? null;
  const manager = new ServiceManager({ address, ffi, pid: process.pid, clock: systemClock });
  running.manager = manager;
  manager.ready();
  if (takeover !== null) {
    takeover.serving();
    running.takeover = null;
    server.succession.own();
    lock.sign();
    log.info({ event: 'took-over', pid: takeover.pid, version: takeover.version }, 'in the place of another server');
  }
  await left;
  if (ffi !== null) {
    const offered = { ffi, settings, server, lock, manager, log, admin: () => running.admin!, onLeft: end };
    running.handover = offerHandover(offered);
    // Its socket may be taken away while this runs, as every file may.
    storage.add(running.handover);
  }
  tellAnswers();
  const { banner, tellEvents } = await import('./banner.ts');
  // A reader of standard output that stops reading stops nothing else.
  const output = new LineSink(1);
  output.write(banner(server, admin.url, running.demo));
  if (running.demo !== null) tellEvents(server, output);
}

/** Whoever may read the state folder may use the commands without a token of their own. */
function leaveToken(file: string, token: string, storage: Storage): Promise<boolean> {
  return new StateFile({ file, storage, mode: 0o600, read: () => {}, write: () => `${token}\n` }).store();
}

/** Listens to the signals at once, so that a start that takes long can be ended too. */
function stopOnSignal(
  running: Running,
  errors: InternalErrors,
  sink: LineSink,
): { begun: boolean; done: Promise<void>; now: () => void } {
  let finish = (): void => undefined;
  const state = {
    begun: false,
    now: (): void => stop(),
    done: new Promise<void>((resolve) => {
      finish = resolve;
    }),
  };
  const stop = (): void => {
    if (state.begun) return;
    state.begun = true;
    raisePriority();
    running.manager?.stopping();
    // What doesn't end by itself is ended: nothing of it outlives the process.
    setTimeout(() => endProcess(EXIT.good), limits.processStopMs);
    errors.stop();
    void stopAll(running)
      .then(() => sink.flush())
      .finally(() => {
        finish();
        endProcess(EXIT.good);
      });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return state;
}

/** `process.exit` waits for every thread, and one that reads from a disk that hangs never ends. */
function endProcess(code: number): never {
  loadFfi()?.exitNow(code);
  process.exit(code);
}

/** Starts the admin anew where it doesn't answer any more. */
async function keepAdminAlive(running: Running, open: () => Promise<Admin>, log: Logger): Promise<void> {
  const admin = running.admin;
  if (admin === null || (await admin.answers())) return;
  log.error({ event: 'admin-restarted' }, 'the admin does not answer and is started again');
  await admin.stop().catch(() => {});
  running.admin = await open();
}

async function stopAll({ admin, server, demo, takeover, handover }: Running): Promise<void> {
  takeover?.abandon();
  handover?.stop();
  await Promise.allSettled([admin?.stop(), server?.stop(), demo?.stop()]);
}

function asFailure(error: unknown): unknown {
  if (error instanceof StartError) return new Failure(error.exitCode, error.message);
  if (error instanceof AdminError || error instanceof TokensError) return new Failure(EXIT.server, error.message);
  return error;
}
