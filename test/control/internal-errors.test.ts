import { expect, it } from 'vitest';
import { limits } from '../../dist/base/limits.js';
import type { Logger } from '../../dist/base/log.js';
import { InternalErrors } from '../../dist/control/internal-errors.js';
import { FakeClock } from '../support/clock.ts';

function make(): { clock: FakeClock; errors: InternalErrors; lines: Record<string, unknown>[] } {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const log = { error: (line: Record<string, unknown>) => lines.push(line) } as unknown as Logger;
  return { clock, errors: new InternalErrors({ clock, log }), lines };
}

it('logs a mistake of the program with its stack and where it came up', () => {
  const { errors, lines } = make();
  errors.report(new Error('boom'), 'udp-0');
  expect(lines).toEqual([
    { event: 'internal-error', origin: 'udp-0', error: expect.stringMatching(/^Error: boom\n +at /) },
  ]);
  errors.stop();
});

it('counts every one, and logs so many a minute', async () => {
  const { clock, errors, lines } = make();
  for (let i = 0; i < 1_000; i++) errors.report('again', 'timer');
  expect(errors.count).toBe(1_000);
  expect(lines.length).toBe(limits.internalErrorsLogged);
  await clock.advance(60_000);
  errors.report('again', 'timer');
  expect(lines.length).toBe(limits.internalErrorsLogged + 1);
  errors.stop();
});

it('looks once whether the parts still work, a moment after many mistakes', async () => {
  const { clock, errors } = make();
  let looks = 0;
  errors.recover = () => looks++;
  for (let i = 0; i < 10; i++) errors.report(new Error('boom'), 'timer');
  expect(looks).toBe(0);
  await clock.advance(limits.recoverMs);
  expect(looks).toBe(1);
  errors.report(new Error('boom'), 'timer');
  await clock.advance(limits.recoverMs);
  expect(looks).toBe(2);
  errors.stop();
});
