import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { centreOf, coordinatesOf } from '../../dist/geo/centres.js';
import { allCountries } from '../../dist/geo/countries.js';
import { greatCircleKm } from '../../dist/geo/distance.js';
import { NOWHERE } from '../../dist/geo/place.js';

const degrees = fc.tuple(
  fc.double({ min: -90, max: 90, noNaN: true }),
  fc.double({ min: -180, max: 180, noNaN: true }),
);

describe('the great circle', () => {
  it('measures known distances', () => {
    // A quarter and an eighth of the way around, and London to Paris.
    expect(greatCircleKm([0, 0], [90, 0])).toBeCloseTo((Math.PI / 2) * 6371.0088, 6);
    expect(greatCircleKm([0, 20], [0, 65])).toBeCloseTo((Math.PI / 4) * 6371.0088, 6);
    expect(greatCircleKm([51.5074, -0.1278], [48.8566, 2.3522])).toBeCloseTo(343.6, 0);
    expect(greatCircleKm([90, 0], [-90, 0])).toBeCloseTo(Math.PI * 6371.0088, 3);
  });

  it('crosses the antimeridian and the poles', () => {
    expect(greatCircleKm([0, 179.5], [0, -179.5])).toBeCloseTo(111.19, 1);
    expect(greatCircleKm([89.5, 0], [89.5, 180])).toBeCloseTo(111.19, 1);
    expect(greatCircleKm([90, 10], [90, -120])).toBeCloseTo(0, 6);
  });

  it('is symmetric, zero at home, and never longer than half the Earth around', () => {
    fc.assert(
      fc.property(degrees, degrees, (a, b) => {
        const km = greatCircleKm(a, b);
        expect(km).toBeCloseTo(greatCircleKm(b, a), 6);
        expect(km).toBeLessThanOrEqual(20_016);
        expect(greatCircleKm(a, a)).toBe(0);
      }),
    );
  });
});

describe('the centre of a country', () => {
  it('is known for every country, and stands in for coordinates that are not', () => {
    expect(allCountries().filter((code) => centreOf(code) === null)).toEqual([]);
    expect(coordinatesOf({ ...NOWHERE, country: 'FR' })).toEqual(centreOf('FR'));
    expect(coordinatesOf({ ...NOWHERE, country: 'FR', at: [43.3, 5.4] })).toEqual([43.3, 5.4]);
    expect(coordinatesOf(NOWHERE)).toBeNull();
  });

  it('lies near well-known towns', () => {
    const towns: [string, number, number, number][] = [
      ['FR', 46.78, 3.08, 150],
      ['DE', 50.98, 10.32, 150],
      ['BR', -15.79, -47.88, 900],
      ['JP', 36.65, 138.18, 150],
      ['NZ', -41.27, 173.28, 150],
      ['FJ', -17.8, 177.4, 150],
      ['KE', -0.3, 37.5, 150],
    ];
    for (const [country, latitude, longitude, km] of towns)
      expect(greatCircleKm(centreOf(country)!, [latitude, longitude])).toBeLessThan(km);
  });
});
