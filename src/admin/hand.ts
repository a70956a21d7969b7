// The routes that act: force and release targets and pools, freeze verdicts, reload. Each is logged with who did it.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from '../base/log.ts';
import type { ControlPlane } from '../control/views.ts';
import { readForce, readFreeze } from './body.ts';
import { Problem } from './problem.ts';
import { zoneName } from './reads.ts';

interface TargetRoute {
  Params: { id: string };
}

interface PoolRoute {
  Params: { zone: string; pool: string };
}

/**
 * Adds them.
 * @param askedBy the name of the token that a request came with
 */
export function addHand(
  app: FastifyInstance,
  control: ControlPlane,
  log: Logger,
  askedBy: (request: FastifyRequest) => string,
): void {
  // Before the first load there is nothing to act on, and acting would get into its way.
  const ready = (): void => {
    if (!control.ready()) throw new Problem('not-ready', 'the server is still starting', { 'retry-after': '1' });
  };

  app.put<TargetRoute>('/api/v1/targets/:id/force', (request) => {
    ready();
    const by = askedBy(request);
    const asked = readForce(request.body);
    const reply = control.forceTarget(request.params.id, { ...asked, by });
    log.info(
      { event: 'admin.force', target: request.params.id, ...asked, by, emptied: reply.emptied },
      'target forced',
    );
    return reply;
  });

  app.delete<TargetRoute>('/api/v1/targets/:id/force', (request) => {
    ready();
    const by = askedBy(request);
    const reply = control.unforceTarget(request.params.id, by);
    log.info({ event: 'admin.unforce', target: request.params.id, by }, 'target released');
    return reply;
  });

  app.put<PoolRoute>('/api/v1/pools/:zone/:pool/force', (request) => {
    ready();
    const by = askedBy(request);
    const zone = zoneName(control, request.params.zone);
    const { pool } = request.params;
    const asked = readForce(request.body);
    const reply = control.forcePool(zone, pool, { ...asked, by });
    log.info({ event: 'admin.force', zone, pool, ...asked, by, emptied: reply.emptied }, 'pool forced');
    return reply;
  });

  app.delete<PoolRoute>('/api/v1/pools/:zone/:pool/force', (request) => {
    ready();
    const by = askedBy(request);
    const zone = zoneName(control, request.params.zone);
    const { pool } = request.params;
    const reply = control.unforcePool(zone, pool, by);
    log.info({ event: 'admin.unforce', zone, pool, by }, 'pool released');
    return reply;
  });

  app.put('/api/v1/health/freeze', (request) => {
    ready();
    const by = askedBy(request);
    const { forMs, reason } = readFreeze(request.body);
    const frozen = control.freeze(forMs, reason, by);
    log.warn({ event: 'admin.freeze', forMs, reason, by }, forMs === 0 ? 'verdicts move again' : 'verdicts are frozen');
    return { frozen };
  });

  app.delete('/api/v1/health/freeze', (request) => {
    ready();
    const by = askedBy(request);
    const frozen = control.freeze(0, '', by);
    log.warn({ event: 'admin.freeze', forMs: 0, by }, 'verdicts move again');
    return { frozen };
  });

  app.post('/api/v1/reload', async (request) => {
    ready();
    log.info({ event: 'admin.reload', by: askedBy(request) }, 'reload asked for');
    return control.reload();
  });
}
