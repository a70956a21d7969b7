#!/usr/bin/env node
// The executable `meridian`.
import { run } from './program.ts';

// A reader that has seen enough (`meridian events | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 3));
process.exitCode = await run(process.argv.slice(2));
