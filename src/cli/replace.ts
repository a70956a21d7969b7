// `serve --replace`: what a server takes from the one before it, and what it offers to the one after it.
import { join } from 'node:path';
import type { Admin } from '../admin/server.ts';
import { systemClock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { HANDOVER_FILE, Handover } from '../control/handover.ts';
import type { Server } from '../control/server.ts';
import type { ServiceManager } from '../control/service-manager.ts';
import type { StateLock } from '../control/state-lock.ts';
import { beginTakeover, type Takeover } from '../control/takeover.ts';
import type { Ffi } from '../serve/ffi.ts';
import { type GivenSocket, standsAt } from '../serve/given.ts';
import type { Settings } from '../settings/settings.ts';

/** The server that runs on the same state folder; null: there is none. Throws StartError where it can't be replaced now. */
export async function findRunning(ffi: Ffi | null, settings: Settings, log: Logger): Promise<Takeover | null> {
  return ffi === null ? null : beginTakeover(ffi, join(settings.state, HANDOVER_FILE), systemClock, log);
}

/** The admin's socket among those that somebody else opened, where the settings want it; null: there is none. */
export function adminSocket(given: readonly GivenSocket[], { admin }: Settings): GivenSocket | null {
  return given.find((socket) => socket.name === 'admin' && standsAt(socket, admin.listen)) ?? null;
}

export interface Offered {
  readonly ffi: Ffi;
  readonly settings: Settings;
  readonly server: Server;
  readonly admin: () => Admin;
  readonly lock: StateLock;
  readonly manager: ServiceManager;
  readonly log: Logger;
  /** Another process answers and nothing is left to do here. */
  readonly onLeft: () => void;
}

/** Lets another process take this server's place from now on. */
export function offerHandover({ ffi, settings, server, admin, lock, manager, log, onLeft }: Offered): Handover {
  const handover = new Handover({
    ffi,
    file: join(settings.state, HANDOVER_FILE),
    server: {
      descriptors: () => [
        ...server.succession.share().map((fd) => ({ name: 'dns', fd })),
        ...[admin().fd].filter((fd) => fd >= 0).map((fd) => ({ name: 'admin', fd })),
        ...(lock.fd === null ? [] : [{ name: 'lock', fd: lock.fd }]),
      ],
      state: async (final) => ({
        texts: server.succession.state(final),
        counters: await admin().counters(),
        manager: manager.address,
      }),
      resume: () => server.succession.resume(),
      leave: async (tell) => {
        manager.leave();
        const last = admin();
        last.leave();
        await server.leave(() => void last.counters().then(tell));
        tell(await last.counters());
      },
    },
    onLeft,
    clock: systemClock,
    log,
  });
  handover.listen();
  return handover;
}
