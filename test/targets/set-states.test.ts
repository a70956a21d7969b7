import { describe, expect, it } from 'vitest';
import { Slices } from '../../dist/base/slices.js';
import { SetStates } from '../../dist/targets/set-states.js';
import { Plane } from '../support/plane.ts';

const zone = (name: string): string => `
version: meridian/v1
zone: ${name}.test
ns: [ns1.example.org.]
pools: { p: { members: [192.0.2.1, 192.0.2.2] } }
records: { www: { A: { pools: [p] } } }
`;

/** A plane that counts how often the chooser is asked. */
function counted() {
  const plane = new Plane([zone('one'), zone('two')]);
  const asked = { count: 0 };
  const choose = plane.probe.choose.bind(plane.probe);
  plane.probe.choose = (...parameters) => {
    asked.count++;
    return choose(...parameters);
  };
  return { plane, asked, states: new SetStates(plane) };
}

describe('which sets fail open', () => {
  it('is worked out once for each zone, and anew where a target of it changed', async () => {
    const { plane, asked, states } = counted();
    const look = async (): Promise<string[]> => {
      const found = [];
      for (const one of plane.zones) found.push(...(await states.of(one, 'failOpen', new Slices())));
      return found;
    };
    expect(await look()).toEqual([]);
    expect(asked.count).toBe(2);
    expect(await look()).toEqual([]);
    expect(asked.count).toBe(2);
    plane.down('one.test/p/192.0.2.1', 'one.test/p/192.0.2.2');
    expect(await look()).toEqual(['one.test www A']);
    expect(asked.count).toBe(3);
    expect(await look()).toEqual(['one.test www A']);
    expect(asked.count).toBe(3);
  });

  it('is another question than which are empty', async () => {
    const { plane, states } = counted();
    plane.force('down', 'two.test/p/192.0.2.1', 'two.test/p/192.0.2.2');
    const two = plane.zones[1]!;
    expect(await states.of(two, 'failOpen', new Slices())).toEqual([]);
    expect(await states.of(two, 'empty', new Slices())).toEqual(['two.test www A']);
    expect(await states.of({ ...two, image: null, meta: null }, 'empty', new Slices())).toEqual([]);
  });

  it('is nothing for a zone that goes while it is looked at', async () => {
    const { plane, states } = counted();
    const going = { ...plane.zones[0]! };
    const looking = states.of(going, 'failOpen', new Slices());
    Object.assign(going, { image: null, meta: null });
    expect(await looking).toEqual([]);
  });
});
