// What a server consists of: the parts of the control plane, as start.ts makes them.
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Storage } from '../base/storage.ts';
import type { HealthClient } from '../health/client.ts';
import type { HealthEvent } from '../health/event.ts';
import type { EventLog } from '../health/events.ts';
import type { Serving } from '../loading/serving.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { Webhooks } from '../notify/webhooks.ts';
import type { QueryLog } from '../querylog/query-log.ts';
import type { GivenSocket } from '../serve/given.ts';
import type { Settings } from '../settings/settings.ts';
import type { Drains } from '../targets/drains.ts';
import type { ForcedStates } from '../targets/forced-states.ts';
import type { SetStates } from '../targets/set-states.ts';
import type { Targets } from '../targets/targets.ts';
import type { Alarms } from './alarms.ts';
import type { CookieFile } from './cookie-file.ts';
import type { GeoipUpdates } from './geoip-updates.ts';
import type { InternalErrors } from './internal-errors.ts';
import type { Operator } from './operator.ts';
import type { Reloads } from './reloads.ts';
import type { Takeover } from './takeover.ts';
import type { Threads } from './threads.ts';
import type { Watchdog } from './watchdog.ts';

export interface ServerParts {
  readonly settings: Settings;
  /** Refuse to start when a file has errors. */
  readonly strict: boolean;
  readonly startedAtMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly serving: Serving;
  readonly threads: Threads;
  readonly targets: Targets;
  readonly setStates: SetStates;
  readonly forcedStates: ForcedStates;
  readonly health: HealthClient;
  readonly reloads: Reloads;
  readonly notifier: Notifier;
  readonly events: EventLog<HealthEvent>;
  readonly webhooks: Webhooks;
  readonly alarms: Alarms;
  readonly geoipUpdates: GeoipUpdates;
  readonly operator: Operator;
  readonly watchdog: Watchdog;
  readonly errors: InternalErrors;
  readonly droppedLines: () => number;
  readonly steadyEpochMs: number;
  /** What drains are counted down by. */
  readonly steadyMs: () => number;
  readonly drains: Drains;
  readonly cookies: CookieFile;
  readonly storage: Storage;
  /** null: queries are not logged. */
  readonly queryLog: QueryLog | null;
  /** The running server that this one replaces; null: there is none. */
  readonly takeover: Takeover | null;
  /** Sockets that a service manager opened. */
  readonly given: readonly GivenSocket[];
}
