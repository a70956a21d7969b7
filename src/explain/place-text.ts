// How places and lists of pools are written for people, in the words of the zone file.
import { formatPrefix } from '../base/address.ts';
import { CONTINENTS, type Place } from '../geo/place.ts';
import type { Choice, ChoiceList } from '../zone/model.ts';

/** A place as a zone file would name it. */
export function placeText(place: Place): string {
  switch (place.kind) {
    case 'network':
      return formatPrefix(place.prefix);
    case 'as':
      return `AS${place.number}`;
    case 'city':
      return `city:${place.subdivision ?? place.country}/${place.name}`;
    case 'subdivision':
    case 'country':
      return place.code;
    case 'continent':
      return Object.entries(CONTINENTS).find(([, code]) => code === place.code)?.[0] ?? place.code;
  }
}

export function choiceText(choice: Choice): string {
  if (choice.kind === 'pool') return choice.pool;
  if (choice.kind === 'closest') return `closest of ${choice.pools.join(', ')}`;
  return `weighted ${choice.shares.map((share) => `${share.pool}: ${share.weight}`).join(', ')}`;
}

/** A list of pools in order of preference; `nodata` when it is empty. */
export function listText(list: ChoiceList): string {
  return list.length === 0 ? 'nodata' : list.map(choiceText).join(', then ');
}
