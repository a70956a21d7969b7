// The folder for what outlives a restart: made, locked against a second server, and swept of what killed writers left.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../api/start-error.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import { removeLeftovers } from '../base/stable-file.ts';
import { Storage } from '../base/storage.ts';
import { loadFfi } from '../serve/ffi.ts';
import { StateLock } from './state-lock.ts';
import type { Takeover } from './takeover.ts';

export interface StateFolder {
  readonly storage: Storage;
  readonly lock: StateLock;
}

/**
 * Opens the state folder. A folder that can't be made, written or locked stops nothing but storing; one that another server uses throws
 * StartError (with the addresses that this one would have had), after as long as a server that was told to stop may still be in it.
 * @param takeover the server that this one replaces, which goes on using the folder for now: nothing is stored until `release`
 */
export async function openStateFolder(
  folder: string,
  listen: readonly string[],
  clock: Clock,
  log: Logger,
  takeover: Pick<Takeover, 'lockFd'> | null = null,
): Promise<StateFolder> {
  const storage = new Storage({ clock, log });
  try {
    mkdirSync(folder, { recursive: true, mode: 0o750 });
  } catch {
    // Every file that is to be stored there tells it, and tries again.
  }
  const lock = new StateLock(join(folder, 'lock'), loadFfi());
  if (takeover !== null) storage.hold();
  if (takeover !== null && takeover.lockFd !== null) {
    lock.adopt(takeover.lockFd);
    storage.add(lock);
    return { storage, lock };
  }
  const untilMs = clock.monotonicMs() + limits.stateLockMs;
  let taken = lock.take();
  while (taken.state === 'busy' && clock.monotonicMs() < untilMs) {
    await new Promise<void>((resolve) => void clock.after(limits.stateLockAgainMs, resolve));
    taken = lock.take();
  }
  if (taken.state === 'busy') {
    const by = taken.pid === null ? 'another server' : `pid ${taken.pid}`;
    const wanted = listen.join(' and ');
    const way = `stop that server before one is started for ${wanted}, or set another "state"`;
    throw new StartError(`the state folder ${folder} is in use by ${by}: ${way}`);
  }
  if (taken.state === 'unlockable') {
    const text = `the state folder cannot be locked (${taken.reason}): see to it that no second server uses it`;
    log.warn({ event: 'state-unlocked', folder, reason: taken.reason }, text);
  }
  // Folder and lock may be taken away while this runs, as every file may.
  storage.add(lock);
  for (const each of [folder, join(folder, 'zones')]) removeLeftovers(each, taken.state === 'locked');
  warnOfStranger(folder, log);
  return { storage, lock };
}

/** A folder that everybody may write is no place for tokens and secrets. */
function warnOfStranger(folder: string, log: Logger): void {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o002) === 0) return;
  log.warn(
    { event: 'state-exposed', folder },
    'every user of this machine may write to the state folder: chmod o-w it',
  );
}
