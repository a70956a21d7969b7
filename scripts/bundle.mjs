// Makes one module of what a thread runs: dist/serve/udp-worker.js and all it imports become dist/serve/udp-worker.bundle.js.
//
// For data threads since V8 looks up an imported constant at every use, and inside one module knows it; for the health thread since one file
// is read sooner than fifty: docs/decisions/0009-one-module.md.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Packages stay packages; a path is none, nor is a drive's letter. */
const packages = /^(?:node:|(?:@[\w-]+\/)?\w[\w.-]*(?:\/|$))/;
/** The health thread has a copy of what its probes need: looking packages up takes a tenth of a second. */
const bundles = { 'serve/udp-worker': packages, 'control/health-worker': /^(?:node:|koffi$)/ };
for (const [entry, external] of Object.entries(bundles)) {
  const bundle = await rolldown({
    cwd: root,
    input: join(root, `dist/${entry}.js`),
    platform: 'node',
    external,
  });
  // Beside the module that it stands for: paths that start from import.meta.url hold in both.
  await bundle.write({ file: join(root, `dist/${entry}.bundle.js`), format: 'esm' });
  await bundle.close();
}
