import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { foldName } from '../../dist/geo/place.js';
import { subdivisionAround, subdivisionByName } from '../../dist/geo/subdivisions.js';

const FILE = new URL('../../data/subdivisions.txt', import.meta.url);

describe('the name of a subdivision', () => {
  it.each([
    ['AT', 'Vienna', 'AT-9'],
    ['AT', 'State of Vienna', 'AT-9'],
    ['AT', 'State of Salzburg', 'AT-5'],
    ['AT', 'Wien', 'AT-9'],
    ['FR', 'Auvergne-Rhone-Alpes', 'FR-ARA'],
    ['FR', 'Nouvelle-Aquitaine', 'FR-NAQ'],
    ['FR', 'Bourgogne-Franche-Comte', 'FR-BFC'],
    ['KR', 'Seoul', 'KR-11'],
    ['KR', 'Gyeonggi-do', 'KR-41'],
    ['TW', 'New Taipei City', 'TW-NWT'],
    ['SE', 'Stockholm County', 'SE-AB'],
    ['SE', 'Vastra Gotaland County', 'SE-O'],
    ['TR', 'Istanbul', 'TR-34'],
    ['HK', 'Sai Kung District', 'HK-NSK'],
    ['PH', 'Province of Cebu', 'PH-CEB'],
    ['PH', 'National Capital Region', 'PH-00'],
    ['VN', 'Ho Chi Minh City (HCMC)', 'VN-SG'],
    ['SA', 'Mecca Region', 'SA-02'],
    ['EG', 'Cairo Governorate', 'EG-C'],
    ['RO', 'Bucuresti', 'RO-B'],
    ['HU', 'Budapest', 'HU-BU'],
    ['IR', 'Tehran', 'IR-23'],
    ['NO', 'Ostfold', 'NO-31'],
    ['PL', 'Lodz Voivodeship', 'PL-10'],
    ['US', 'Washington, D.C.', 'US-DC'],
    ['RU', 'Sverdlovskaya Oblast', 'RU-SVE'],
    ['DE', 'Baden-Wurttemberg', 'DE-BW'],
  ])('in %s %s is %s', (country, name, code) => {
    expect(subdivisionByName(country, name)).toBe(code);
  });

  it('is told apart from that of the city, county or state beside it', () => {
    const codes = (country: string, ...names: string[]): unknown[] =>
      names.map((name) => subdivisionByName(country, name));
    expect(codes('RU', 'Moscow', 'Moscow Oblast')).toEqual(['RU-MOW', 'RU-MOS']);
    expect(codes('UA', 'Kyiv City', 'Kyiv Oblast')).toEqual(['UA-30', 'UA-32']);
    expect(codes('AR', 'Buenos Aires', 'Buenos Aires F.D.')).toEqual(['AR-B', 'AR-C']);
    expect(codes('MX', 'Mexico City', 'México')).toEqual(['MX-CMX', 'MX-MEX']);
    expect(codes('BY', 'Minsk', 'Minsk City')).toEqual(['BY-MI', 'BY-HM']);
    expect(codes('TW', 'Hsinchu City', 'Hsinchu County')).toEqual(['TW-HSZ', 'TW-HSQ']);
    expect(codes('BG', 'Sofia', 'Sofia-Capital')).toEqual(['BG-23', 'BG-22']);
  });

  it('that a region shares with its part means the region, and inside it the part', () => {
    expect(subdivisionByName('ES', 'Madrid')).toBe('ES-MD');
    expect(subdivisionByName('ES', 'Madrid', 'ES-MD')).toBe('ES-M');
    expect(subdivisionByName('LT', 'Kaunas', 'LT-KU')).toBe('LT-15');
    expect(subdivisionAround('ES-M')).toBe('ES-MD');
    expect(subdivisionAround('ES-MD')).toBeNull();
  });

  it('that says nothing, is of another country, or could mean several, is unknown', () => {
    for (const [country, name] of [
      ['TW', 'Taiwan'],
      ['RS', 'Central Serbia'],
      ['DE', 'California'],
      ['US', ''],
      ['US', 'Province'],
      ['ZZ', 'Vienna'],
    ] as const)
      expect(subdivisionByName(country, name), `${country} ${name}`).toBeNull();
  });
});

describe('the list of subdivisions', () => {
  it('goes with the package and into the image', () => {
    const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    expect((JSON.parse(read('package.json')) as { files: string[] }).files).toEqual(
      expect.arrayContaining(['data', 'NOTICE']),
    );
    expect(read('Dockerfile')).toContain('COPY data data\nCOPY LICENSE NOTICE ./');
  });

  const lines = readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t') as [code: string, within: string, names: string]);

  it('has each code once, in order, each with a name, in what stands there', () => {
    const codes = lines.map(([code]) => code);
    expect(codes).toEqual([...new Set(codes)].sort());
    const known = new Set(codes);
    for (const [code, within, names] of lines) {
      expect(code).toMatch(/^[A-Z]{2}-[A-Z0-9]{1,3}$/);
      expect(within === '' || (known.has(within) && within.slice(0, 2) === code.slice(0, 2)), code).toBe(true);
      expect(names, code).not.toBe('');
    }
  });

  it('gives every code back for at least one of its names, but for those that share all', () => {
    const lost = lines.filter(
      ([code, within, names]) =>
        !names.split('|').some((name) => subdivisionByName(code.slice(0, 2), name, within || null) === code),
    );
    expect(lost.map(([code, , names]) => `${code} ${names}`)).toEqual([]);
  });

  it('has names that differ when compared', () => {
    for (const [code, , names] of lines) {
      const folded = names.split('|').map(foldName);
      expect(new Set(folded).size, code).toBe(folded.length);
    }
  });
});
