// A monitor over imaginary backends: the test says who is up, the clock is the test's.
import { pino } from 'pino';
import type { HealthEvent } from '../../dist/health/event.js';
import type { TargetHealth, TargetSpec } from '../../dist/health/health.js';
import { Monitor, type MonitorOptions } from '../../dist/health/monitor.js';
import { failed, succeeded } from '../../dist/probe/outcome.js';
import type { ProbeAddress } from '../../dist/probe/probes.js';
import type { Check } from '../../dist/zone/model.js';
import { check, tcpCheck } from './checks.ts';
import { FakeClock } from './clock.ts';

export type Answer = 'ok' | 'refused' | 'silent' | 'starved';

/** Backends that answer as they are told, with a clock, a log and randomness of the test's own. */
export class Backends {
  readonly clock: FakeClock;
  /** How each address (or `address:port`) answers; `ok` when not told. */
  readonly answers = new Map<string, Answer>();
  readonly events: HealthEvent[] = [];
  /** Start times of the tries, by `address:port`. */
  readonly tries = new Map<string, number[]>();
  readonly logged: Record<string, unknown>[] = [];
  readonly log = pino({ level: 'trace' }, { write: (line: string) => this.logged.push(JSON.parse(line)) });
  load: number | null = null;
  aborted = 0;
  /** What a good probe takes. */
  tookMs = 5;
  #seed = 7;

  constructor(clock = new FakeClock()) {
    this.clock = clock;
  }

  readonly random = (): number => {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  };

  readonly probe: ProbeAddress = (probe, target, attempt) => {
    const place = `${target.address}:${'port' in probe ? probe.port : 0}`;
    const list = this.tries.get(place) ?? [];
    list.push(this.clock.nowMs());
    this.tries.set(place, list);
    const answer = this.answers.get(place) ?? this.answers.get(target.address) ?? 'ok';
    return new Promise((resolve) => {
      attempt.signal.addEventListener('abort', () => {
        if (attempt.signal.reason !== undefined && typeof attempt.signal.reason !== 'symbol') this.aborted++;
        resolve(failed('timeout: silent'));
      });
      if (answer === 'silent') return;
      this.clock.after(this.tookMs, () =>
        resolve(
          answer === 'ok'
            ? succeeded('fine', this.load)
            : answer === 'refused'
              ? failed('connection refused', 'ECONNREFUSED')
              : { ...failed('EMFILE'), local: true },
        ),
      );
    });
  };

  /** Lets the first round, and the spreading after it, pass. */
  async settle(): Promise<void> {
    await this.clock.advance(30_000);
  }
}

/** The monitor and everything that can be seen of it. */
export class Fleet extends Backends {
  readonly monitor: Monitor;
  readonly changes: [id: string, health: TargetHealth][] = [];

  constructor(options: Partial<MonitorOptions> = {}) {
    super();
    this.monitor = new Monitor({
      random: this.random,
      log: this.log,
      maxConcurrent: 500,
      blackoutHoldMs: 60_000,
      rules: { exec: false, files: [], linkLocal: false, admin: null },
      onHealth: (id, health) => this.changes.push([id, health]),
      onEvent: (event) => this.events.push(event),
      probe: this.probe,
      ...options,
      clock: this.clock,
    });
  }

  verdicts(): string {
    return [...this.monitor.all()].map(([, health]) => health.verdict).join(' ');
  }

  count(verdict: string): number {
    return [...this.monitor.all()].filter(([, health]) => health.verdict === verdict).length;
  }
}

/** A target `zone/pool/address` with a check on port 80. */
export function target(
  address: string,
  more: Partial<Check> | null = {},
  place: { zone?: string; pool?: string; port?: number } = {},
): TargetSpec {
  const { zone = 'net.cat', pool = 'p', port = 80 } = place;
  const family = /^[\d.]+$/.test(address) ? 4 : address.includes(':') ? 6 : 'name';
  return {
    id: `${zone}/${pool}/${address}`,
    zone,
    pool,
    address,
    family,
    check: more === null ? null : check(tcpCheck(port), more),
  };
}

export function addresses(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
}
