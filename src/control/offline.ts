// Explains without a running server: loads zones and geography like one, with the verdicts that were last saved.
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { createLog } from '../base/log.ts';
import { coverage } from './coverage.ts';
import { Drains } from './drains.ts';
import { Explainer } from './explain.ts';
import { Hand } from './hand.ts';
import { SavedHealth } from './saved-health.ts';
import { Serving } from './serving.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import { Targets } from './targets.ts';
import type { CoverageRow, ExplainRequest, Explanation } from './views.ts';

/** Loads what a server with these settings would serve; nothing is written. Throws StartError. */
async function withServing<T>(settings: Settings, use: (explainer: Explainer) => T): Promise<T> {
  const log = createLog('silent');
  const serving = new Serving({
    zonesDirectory: settings.zones,
    geoDirectory: settings.geoip.directory,
    overridesFile: settings.geoip.overrides,
    stateDirectory: null,
    baseDirectory: settings.baseDirectory,
    execAllowed: settings.health.exec,
    clock: systemClock,
    log,
  });
  const hand = new Hand({ file: join(settings.state, 'hand.json'), clock: systemClock, log, onChange: () => {} });
  const health = new SavedHealth(join(settings.state, 'verdicts.json'));
  const targets = new Targets({
    board: serving.board,
    rows: serving.rows,
    hand: () => hand,
    monitor: () => health,
    drains: new Drains({ file: null, earlierRun: false, nowMs: systemClock.nowMs() }),
  });
  try {
    const change = await serving.load(() => {
      const metas = [...serving.zones.all.values()].flatMap((zone) => zone.meta ?? []);
      targets.set(
        metas.flatMap((meta) => meta.targets),
        metas.flatMap((meta) => meta.pools),
      );
    });
    if (change.problem !== null) throw new StartError(change.problem);
    serving.publish();
    return use(new Explainer(serving, targets));
  } finally {
    hand.stop();
    await serving.stop();
  }
}

/** The explanation that a server with these settings would give. Throws StartError and RequestError. */
export function explainOffline(settings: Settings, request: ExplainRequest): Promise<Explanation> {
  return withServing(settings, (explainer) => explainer.explain(request));
}

export function coverageOffline(settings: Settings, name: string, type: string): Promise<{ rows: CoverageRow[] }> {
  return withServing(settings, (explainer) => ({ rows: coverage(explainer, name, type) }));
}
