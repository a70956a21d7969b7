// The probe for HTTP and HTTPS: one request, judged by status, body and certificate.
import type { HttpCheck } from '../zone/model.ts';
import { Http1Line } from './http1.ts';
import { Http2Line } from './http2.ts';
import { type Outcome, unready } from './outcome.ts';
import { prepare } from './pattern.ts';
import type { Attempt, ProbeFunction, ProbeTarget } from './probe.ts';
import { trustOf } from './tls.ts';
import { type Line, webTarget } from './web.ts';

/**
 * Probes a web server: the response, or its first 64 KiB, must be in before the deadline. Redirects are not followed: a 302 is a status
 * like any other. With `reuse` the connection stays open between tries.
 */
export const probeHttp: ProbeFunction<HttpCheck> = async (target, check, attempt) => {
  prepare(check.expectBody);
  const first = await tryOnce(target, check, attempt);
  // A kept connection that the server closed while the request was on its way proves nothing: ask once more on a new one.
  return first === 'stale' ? ((await tryOnce(target, check, attempt)) as Outcome) : first;
};

async function tryOnce(target: ProbeTarget, check: HttpCheck, attempt: Attempt): Promise<Outcome | 'stale'> {
  const key = `http ${target.address}`;
  let line = target.kept.get(key) as Line | undefined;
  if (line === undefined) {
    let context = null;
    try {
      // Not awaited without need: a turn of the loop for each probe.
      if (check.tls && check.caFile !== null) context = await trustOf(check.caFile);
    } catch (error) {
      return unready('ca-file cannot be used', error);
    }
    const web = webTarget(target, check, context);
    line = check.version === '2' ? new Http2Line(web) : new Http1Line(web);
    if (check.reuse) target.kept.set(key, line);
  }
  const outcome = await line.ask(attempt);
  if (!check.reuse || outcome === 'stale' || !outcome.ok || !line.reusable) {
    target.kept.delete(key);
    line.destroy();
  }
  return outcome;
}
