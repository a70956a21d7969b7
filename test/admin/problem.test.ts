import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROBLEMS, problemOf } from '../../dist/admin/problem.js';
import { RequestError } from '../../dist/api/views.js';

describe('problem documents', () => {
  it('have codes that docs/operations.md explains, with their status', () => {
    const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    for (const [code, status] of Object.entries(PROBLEMS)) expect(text).toContain(`| \`${code}\` | ${status} | `);
  });

  it('carry what the control plane refused', () => {
    expect(problemOf(new RequestError(404, 'unknown-target', 'no such target')).document).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'no such target',
      code: 'unknown-target',
    });
  });

  it('hide what nobody foresaw', () => {
    expect(problemOf(new TypeError('x is undefined')).document).toMatchObject({ status: 500, code: 'internal' });
    expect(problemOf('a text').document.detail).not.toContain('a text');
  });
});
