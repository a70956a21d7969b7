// The routes that act: force and release targets and pools, freeze verdicts, reload. The control plane logs who did it.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ControlPlane } from '../api/control-plane.ts';
import type { Logger } from '../base/log.ts';
import { readForce, readFreeze } from './body.ts';
import type { LongAnswers } from './long-answers.ts';
import { Problem } from './problem.ts';
import { zoneName } from './reads.ts';

type TargetRoute = { id: string };
type PoolRoute = { zone: string; pool: string };

/**
 * Adds them.
 * @param askedBy the name of the token that a request came with
 */
export function addForce(
  app: FastifyInstance,
  control: ControlPlane,
  long: LongAnswers,
  log: Logger,
  askedBy: (request: FastifyRequest) => string,
): void {
  /** Who asks. Before the first load there is nothing to act on, and acting would get into its way: Problem 503. */
  const asker = (request: FastifyRequest): string => {
    if (!control.ready()) throw new Problem('not-ready', 'the server is still starting', { 'retry-after': '1' });
    return askedBy(request);
  };

  app.put(
    '/api/v1/targets/:id/force',
    long.json<TargetRoute>('act', (request, slices) => {
      const by = asker(request);
      return control.forceTarget(request.params.id, { ...readForce(request.body), by }, slices);
    }),
  );

  app.delete(
    '/api/v1/targets/:id/force',
    long.json<TargetRoute>('act', (request) => control.unforceTarget(request.params.id, asker(request))),
  );

  app.put(
    '/api/v1/pools/:zone/:pool/force',
    long.json<PoolRoute>('act', (request, slices) => {
      const by = asker(request);
      const { zone, pool } = request.params;
      return control.forcePool(zoneName(control, zone), pool, { ...readForce(request.body), by }, slices);
    }),
  );

  app.delete(
    '/api/v1/pools/:zone/:pool/force',
    long.json<PoolRoute>('act', (request) => {
      const by = asker(request);
      const { zone, pool } = request.params;
      return control.unforcePool(zoneName(control, zone), pool, by);
    }),
  );

  app.put('/api/v1/health/freeze', (request) => {
    const by = asker(request);
    const { forMs, reason } = readFreeze(request.body);
    return { frozen: control.freeze(forMs, reason, by) };
  });

  app.delete('/api/v1/health/freeze', (request) => ({ frozen: control.freeze(0, '', asker(request)) }));

  app.post(
    '/api/v1/reload',
    long.json('reload', (request, slices) => {
      log.info({ event: 'admin-reload', by: asker(request) }, 'reload asked for');
      return control.reload(slices);
    }),
  );
}
