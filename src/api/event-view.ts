// An event of the health engine or of the state folder as the admin API, the stream and webhooks tell it.
import type { HealthEvent } from '../health/event.ts';
import type { Recorded } from '../health/events.ts';
import type { EventView } from './views.ts';

export function eventView(event: Recorded<HealthEvent>): EventView {
  const { seq, atMs, kind, target, check, from, to, reason, evidence, latencyMs, by } = event;
  const detail = { check, from, to, reason, evidence, latencyMs, by };
  const at = new Date(atMs).toISOString();
  if (kind === 'state-unsaved' || kind === 'state-saved') {
    return { id: seq, at, type: kind, target, message: reason, detail };
  }
  const what = kind === 'flip' ? `${from ?? 'unknown'} to ${to ?? 'unknown'}` : kind;
  return {
    id: seq,
    at,
    type: `health.${kind}`,
    target,
    message: `${target ?? 'all targets'}: ${what}${reason === '' ? '' : ` (${reason})`}`,
    detail,
  };
}
