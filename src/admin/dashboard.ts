// The route of the dashboard: a static page that reads the same API as everybody.
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** The page's folder, beside dist/ (and src/). */
const PAGE = fileURLToPath(new URL('../../dashboard/', import.meta.url));

/** The page loads nothing from elsewhere, and nothing of it may: what an operator typed as a reason is text, never code. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Adds `/` and the page's two files. */
export async function addDashboard(app: FastifyInstance): Promise<void> {
  await app.register(fastifyStatic, { root: PAGE, serve: false, cacheControl: false });
  for (const [path, file] of [
    ['/', 'index.html'],
    ['/dashboard.js', 'dashboard.js'],
    ['/dashboard.css', 'dashboard.css'],
  ] as const) {
    app.get(path, (_request, reply) => reply.header('cache-control', 'no-cache').sendFile(file));
  }
}
