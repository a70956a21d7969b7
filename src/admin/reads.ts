// The routes that tell: health and readiness of the server, status, targets, zones, explain, coverage.
import type { FastifyInstance } from 'fastify';
import type { ControlPlane } from '../api/views.ts';
import { withoutFinalDot, zoneOfStem } from '../wire/zone-name.ts';
import { readQuery } from './body.ts';
import { Problem } from './problem.ts';

const EXPLAIN = ['name', 'type', 'client', 'subnet', 'resolver'] as const;

/**
 * Adds them.
 * @param url where the admin can be reached, known once it listens
 */
export function addReads(app: FastifyInstance, control: ControlPlane, url: () => string): void {
  app.get('/healthz', () => ({ status: 'ok' }));

  app.get('/readyz', () => {
    if (!control.ready())
      throw new Problem('not-ready', 'the first round of probes is not in yet', { 'retry-after': '1' });
    return { ready: true };
  });

  app.get('/api/v1/status', () => ({ ...control.status(), admin: url() }));

  app.get('/api/v1/health', () => control.health());

  app.get('/api/v1/zones', () => ({ zones: control.zones() }));

  app.get<{ Params: { name: string } }>('/api/v1/zones/:name', (request) => {
    const zone = control.zone(zoneName(control, request.params.name));
    if (zone === undefined) throw new Problem('not-found', `there is no zone "${request.params.name}"`);
    return zone;
  });

  app.get('/api/v1/explain', (request) => {
    const { name, ...rest } = readQuery(request.query, EXPLAIN);
    if (name === undefined) throw new Problem('bad-request', 'say which name: ?name=www.example.org');
    return control.explain({ name, ...rest });
  });

  app.get('/api/v1/coverage', (request) => {
    const { name, type } = readQuery(request.query, ['name', 'type']);
    if (name === undefined) throw new Problem('bad-request', 'say which name: ?name=www.example.org');
    return control.coverage(name, type ?? 'A');
  });
}

/** A zone as the control plane names it. The root is `.`, which no client can send as a path segment: `root` means it too. */
export function zoneName(control: ControlPlane, written: string): string {
  const name = withoutFinalDot(written.toLowerCase());
  const zone = zoneOfStem(name);
  // There may be a top-level domain of that name, one day.
  return control.zone(name) === undefined && control.zone(zone) !== undefined ? zone : name;
}
