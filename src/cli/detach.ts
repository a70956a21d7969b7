// `serve --detach`: starts the server as a process of its own and ends when it answers: what a service manager's reload waits for.
import { spawn } from 'node:child_process';
import { EXIT } from './exit.ts';

/** Said by the server, on the channel that it was started with. */
const ANSWERS = 'answers';

/** Starts this program again with the same arguments, but for `--detach`. Returns the exit code, once the server answers or has failed. */
export function detach(): Promise<number> {
  const [, main, ...args] = process.argv;
  const server = spawn(process.execPath, [...process.execArgv, main!, ...args.filter((arg) => arg !== '--detach')], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve) => {
    server.on('error', () => resolve(EXIT.server));
    server.on('exit', (code) => resolve(code ?? EXIT.server));
    server.on('message', (message) => {
      if (message !== ANSWERS) return;
      server.disconnect();
      server.unref();
      resolve(EXIT.good);
    });
  });
}

/** Tells who started this server with `--detach` that it answers. */
export function tellAnswers(): void {
  process.send?.(ANSWERS, undefined, undefined, () => process.disconnect?.());
}
