// What `serve` prints for people: names of files and words of backends do nothing to the terminal.
import { describe, expect, it } from 'vitest';
import type { EventView } from '../../dist/api/views.js';
import type { LineSink } from '../../dist/base/line-sink.js';
import { banner, tellEvents } from '../../dist/cli/banner.js';
import { FakeControl } from '../support/fake-control.ts';

const HOSTILE = 'a\u001b[2J\u202e\u009b';
const SHOWN = 'a\\u001b[2J\\u202e\\u009b';

describe('what serve prints', () => {
  it('shows the controls in the name of a zone file as their codes', () => {
    const zone = { name: HOSTILE, file: `zones/${HOSTILE}.yaml`, state: 'error' } as const;
    const control = { listen: ['127.0.0.1:5300'], servedZones: [zone], oldDatabases: [] };
    const text = banner(control, 'http://127.0.0.1:8053', null);
    expect(text).toContain(`${SHOWN} is in error: "meridian check zones/${SHOWN}.yaml" says why`);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('shows those in what happened as well, between our own colours', () => {
    const written: string[] = [];
    let tell: (event: EventView) => void = () => {};
    const control = Object.assign(new FakeControl(), {
      onEvent: (listener: (event: EventView) => void) => {
        tell = listener;
        return () => {};
      },
    });
    tellEvents(control, { write: (text: string) => written.push(text) } as unknown as LineSink);
    tell(new FakeControl().emit('went-down', `net.cat/rio/192.0.2.1 is down: ${HOSTILE}`));
    expect(written.join('')).toContain(SHOWN);
    const plain = written
      .join('')
      .split(`${String.fromCharCode(27)}[31m`)
      .join('')
      .split(`${String.fromCharCode(27)}[0m`)
      .join('');
    expect(plain.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
