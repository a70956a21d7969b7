// The backends of these benchmarks: an nginx with one worker that answers "ok" to everything, on all of 127.0.0.0/8.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, start } from '../process.mjs';

/** Starts it with its files in `folder` and waits until it listens: what process.mjs's `start` returns, with `port`. */
export async function startNginx(folder) {
  const port = await freePort();
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`)
    .join(' ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr; events { worker_connections 4096; }
     http { access_log off; ${paths} server { listen ${port} backlog=4096; location / { return 200 "ok"; } } }`,
  );
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf')];
  const nginx = start('nginx', { command: 'nginx', args, logPath: join(folder, 'nginx.txt') });
  for (;;) {
    if (nginx.ended() !== undefined) throw new Error(`nginx: ${nginx.ended()}\n${nginx.output()}`);
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return { ...nginx, port };
    } catch {
      await wait(20);
    } finally {
      socket.destroy();
    }
  }
}
