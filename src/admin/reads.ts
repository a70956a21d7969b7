// The routes that tell: health and readiness of the server, status, targets, zones, explain, coverage.
import type { FastifyInstance } from 'fastify';
import type { ControlPlane } from '../api/control-plane.ts';
import { withoutFinalDot, zoneOfStem } from '../wire/zone-name.ts';
import { readQuery } from './body.ts';
import type { LongAnswers } from './long-answers.ts';
import { Problem } from './problem.ts';

const EXPLAIN = ['name', 'type', 'client', 'subnet', 'resolver'] as const;

/**
 * Adds them.
 * @param url where the admin can be reached, known once it listens
 */
export function addReads(app: FastifyInstance, control: ControlPlane, long: LongAnswers, url: () => string): void {
  app.get('/healthz', () => ({ status: 'ok' }));

  app.get('/readyz', () => {
    if (!control.ready())
      throw new Problem('not-ready', 'the first round of probes is not in yet', { 'retry-after': '1' });
    return { ready: true };
  });

  app.get(
    '/api/v1/status',
    long.json('list', async (_request, slices) => ({ ...(await control.status(slices)), admin: url() })),
  );

  app.get(
    '/api/v1/health',
    long.json('list', () => ({ targets: control.targets() })),
  );

  app.get(
    '/api/v1/zones',
    long.json('list', (_request, slices) => ({ zones: control.zones(slices) })),
  );

  app.get(
    '/api/v1/zones/:name',
    long.json<{ name: string }>('list', async ({ params: { name } }, slices) => {
      const zone = await control.zone(zoneName(control, name), slices);
      if (zone === undefined) throw new Problem('not-found', `there is no zone "${name}"`);
      return zone;
    }),
  );

  app.get(
    '/api/v1/explain',
    long.json('explain', (request) => {
      const { name, ...rest } = readQuery(request.query, EXPLAIN);
      if (name === undefined) throw new Problem('bad-request', 'say which name: ?name=www.example.org');
      return control.explain({ name, ...rest });
    }),
  );

  app.get(
    '/api/v1/coverage',
    long.json('coverage', (request, slices) => {
      const { name, type } = readQuery(request.query, ['name', 'type']);
      if (name === undefined) throw new Problem('bad-request', 'say which name: ?name=www.example.org');
      return control.coverage(name, type ?? 'A', slices);
    }),
  );
}

/** A zone as the control plane names it. The root is `.`, which no client can send as a path segment: `root` means it too. */
export function zoneName(control: ControlPlane, written: string): string {
  const name = withoutFinalDot(written.toLowerCase());
  const zone = zoneOfStem(name);
  // There may be a top-level domain of that name, one day.
  return !control.hasZone(name) && control.hasZone(zone) ? zone : name;
}
