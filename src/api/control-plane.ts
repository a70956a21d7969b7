// What admin and commands ask of a running server, and the views that are told entry by entry.
import type { Slices } from '../base/slices.ts';
import type {
  CoverageView,
  EventView,
  ExplainRequest,
  Explanation,
  ForceRequest,
  NumbersView,
  PoolForced,
  ReloadView,
  StatusView,
  TargetForced,
  TargetView,
  ZoneDetail,
  ZoneSummary,
} from './views.ts';

/** A view whose long lists are made while they are told, entry by entry. */
type Told<T, Lists extends keyof T> = Omit<T, Lists> & {
  readonly [List in Lists]: T[List] extends readonly (infer Entry)[] ? Iterable<Entry> | AsyncIterable<Entry> : never;
};

export type StatusTold = Told<StatusView, 'zones' | 'warnings'>;
export type CoverageTold = Told<CoverageView, 'rows'>;
export type ReloadTold = Told<ReloadView, 'zones' | 'errors' | 'warnings'>;

/**
 * What admin and commands ask of a running server. Long work is done in slices, and ends with Unwanted as soon as nobody waits for it;
 * lists are good for one reading.
 */
export interface ControlPlane {
  ready(): boolean;
  status(slices: Slices): Promise<StatusTold>;
  targets(): Iterable<TargetView>;
  numbers(): NumbersView;
  zones(slices: Slices): AsyncIterable<ZoneSummary>;
  zone(name: string, slices: Slices): Promise<ZoneDetail | undefined>;
  hasZone(name: string): boolean;
  /** Throws RequestError. */
  explain(request: ExplainRequest): Explanation;
  /** Throws RequestError. */
  coverage(name: string, type: string, slices: Slices): Promise<CoverageTold>;
  reload(slices: Slices): Promise<ReloadTold>;
  /** Rejects with RequestError 404. */
  forceTarget(id: string, request: ForceRequest, slices: Slices): Promise<TargetForced>;
  unforceTarget(id: string, by: string): Promise<Omit<TargetForced, 'emptied'>>;
  forcePool(zone: string, pool: string, request: ForceRequest, slices: Slices): Promise<PoolForced>;
  unforcePool(zone: string, pool: string, by: string): Promise<Omit<PoolForced, 'emptied'>>;
  /** `forMs` 0 lifts it, null: until lifted. */
  freeze(forMs: number | null, reason: string, by: string): StatusView['health']['frozen'];
  /** The last events, oldest first. */
  events(most: number): Iterable<EventView>;
  /** The first events after one, oldest first. */
  eventsAfter(id: number, most: number): EventView[];
  /** Calls back for each new event; returns what ends it. */
  onEvent(listener: (event: EventView) => void): () => void;
}
