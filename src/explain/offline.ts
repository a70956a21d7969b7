// Explains without a running server: loads zones and geography like one, with the verdicts that were last saved.
import { join } from 'node:path';
import { StartError } from '../api/start-error.ts';
import type { CoverageView, ExplainRequest, Explanation } from '../api/views.ts';
import { systemClock } from '../base/clock.ts';
import { createLog } from '../base/log.ts';
import { Storage } from '../base/storage.ts';
import { SavedHealth } from '../health/saved-health.ts';
import { loadSaved } from '../health/verdict-store.ts';
import { Serving } from '../loading/serving.ts';
import { checkRulesOf, type Settings } from '../settings/settings.ts';
import { Drains } from '../targets/drains.ts';
import { ForcedStates } from '../targets/forced-states.ts';
import { Targets } from '../targets/targets.ts';
import { coverage } from './coverage.ts';
import { Explainer } from './explainer.ts';

/** Loads what a server with these settings would serve; nothing is written. Throws StartError. */
async function withServing<T>(settings: Settings, use: (explainer: Explainer) => T): Promise<T> {
  const log = createLog('silent');
  const storage = new Storage({ clock: systemClock, log, readOnly: true });
  const serving = new Serving({
    zonesDirectory: settings.zones,
    geoDirectory: settings.geoip.directory,
    overridesFile: settings.geoip.overrides,
    stateDirectory: null,
    storage,
    baseDirectory: settings.baseDirectory,
    checkRules: checkRulesOf(settings),
    clock: systemClock,
    log,
  });
  const forcedStates = new ForcedStates({
    file: join(settings.state, 'hand.json'),
    storage,
    clock: systemClock,
    onChange: () => {},
  });
  forcedStates.load();
  const health = new SavedHealth(loadSaved(join(settings.state, 'verdicts.json'), storage), serving.board.buffer);
  const targets = new Targets({
    board: serving.board,
    rows: serving.rows,
    drains: new Drains({ file: null, storage, nowMs: systemClock.nowMs() }),
  });
  targets.bind({ forcedStates, health });
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
    await forcedStates.stop();
    await serving.stop();
  }
}

/** The explanation that a server with these settings would give. Throws StartError and RequestError. */
export function explainOffline(settings: Settings, request: ExplainRequest): Promise<Explanation> {
  return withServing(settings, (explainer) => explainer.explain(request));
}

export function coverageOffline(settings: Settings, name: string, type: string): Promise<CoverageView> {
  return withServing(settings, (explainer) => coverage(explainer, name, type));
}
