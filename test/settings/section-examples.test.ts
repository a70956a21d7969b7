// The examples of the settings' maps are right themselves.
import { expect, it } from 'vitest';
import { SECTION_EXAMPLES } from '../../dist/settings/section-examples.js';
import { readSettings } from '../../dist/settings/settings.js';

it.each(Object.entries(SECTION_EXAMPLES))(
  '%s: %s is read, and asked for where something else stands',
  (key, example) => {
    expect(readSettings({ file: 'meridian.yaml', text: `${key}: ${example}\n` }).diagnostics).toEqual([]);
    const { diagnostics } = readSettings({ file: 'meridian.yaml', text: `${key}: [1]\n` });
    expect(diagnostics.map(({ fix }) => fix).join()).toContain(`such as ${example}`);
  },
);
