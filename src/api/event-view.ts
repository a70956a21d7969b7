// An event of the health engine as the admin API, the stream and webhooks tell it.
import type { HealthEvent } from '../health/event.ts';
import type { Recorded } from '../health/events.ts';
import type { EventView } from './views.ts';

export function eventView(event: Recorded<HealthEvent>): EventView {
  const { seq, atMs, kind, target, check, from, to, reason, evidence, latencyMs, by } = event;
  const what = kind === 'flip' ? `${from ?? 'unknown'} to ${to ?? 'unknown'}` : kind;
  return {
    id: seq,
    at: new Date(atMs).toISOString(),
    type: `health.${kind}`,
    target,
    message: `${target ?? 'all targets'}: ${what}${reason === '' ? '' : ` (${reason})`}`,
    detail: { check, from, to, reason, evidence, latencyMs, by },
  };
}
