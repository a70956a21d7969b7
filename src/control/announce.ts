// Tells the secondaries of zones what is published of them now.
import type { Serving } from '../loading/serving.ts';
import type { Notifier } from '../notify/notifier.ts';

/** Announces those of the named zones that are served; `serving` has published them. */
export function announceZones(notifier: Notifier, serving: Serving, names: Iterable<string>): void {
  for (const name of names) {
    const zone = serving.zone(name);
    if (zone === undefined || zone.image === null || zone.serial === null) continue;
    const image = serving.images.store.words(zone.image);
    notifier.announce({ name, serial: zone.serial, image, secondaries: zone.meta?.transfer?.notify ?? [] });
  }
}
