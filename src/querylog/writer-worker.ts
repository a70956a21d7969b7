// Entry of the query log's thread: formats and writes what the data threads left in their rings, until it is told to stop.
import { getPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../base/clock.ts';
import { keepHeapsSmall } from '../base/heap.ts';
import { loadFfi, SCHED_BATCH } from '../serve/ffi.ts';
import { Dnstap } from './dnstap.ts';
import { FileOutput } from './file-output.ts';
import type { Format } from './format.ts';
import { JsonLines } from './json-lines.ts';
import { type FromWriter, type ToWriter, WRITER_COUNT, type WriterStart } from './messages.ts';
import type { Output, OutputNews } from './output.ts';
import { SocketOutput } from './socket-output.ts';
import { StdoutOutput } from './stdout-output.ts';
import { Writer } from './writer.ts';
import { NameTable } from './zone-names.ts';

/** Everything else goes first: probes, the admin, and above all who answers. */
const NICE_MORE = 10;

keepHeapsSmall();
loadFfi()?.schedule({ policy: SCHED_BATCH, nice: Math.min(19, getPriority() + NICE_MORE) });

const { settings, rings, names, counts, identity, version } = workerData as WriterStart;
const port = parentPort!;
const columns = new Float64Array(counts);
let told: string | null = null;
const news: OutputNews = {
  written: (records) => {
    columns[WRITER_COUNT.written]! += records;
  },
  dropped: (records) => {
    columns[WRITER_COUNT.dropped]! += records;
  },
  trouble: (reason) => {
    if (reason === told) return;
    told = reason;
    port.postMessage({ trouble: reason } satisfies FromWriter);
  },
};
const short = settings.addresses === 'prefix';
const format: Format = settings.format === 'json' ? new JsonLines(short) : new Dnstap(identity, version);
const output = makeOutput();
const table = new NameTable();
for (const zones of names) table.add(zones);
const writer = new Writer({ rings, names: table, format, output, short, clock: systemClock });

function makeOutput(): Output {
  const { to, rotateBytes, keep } = settings;
  switch (to.kind) {
    case 'stdout':
      return new StdoutOutput(news);
    case 'file':
      return new FileOutput({ path: to.path, rotateBytes, keep, format, news, clock: systemClock });
    case 'socket':
      return new SocketOutput({ path: to.path, frames: settings.format === 'dnstap', news, clock: systemClock });
  }
}

port.on('message', (message: ToWriter) => {
  switch (message.kind) {
    case 'ring':
      writer.addRing(message.ring);
      break;
    case 'names':
      table.add(message.names);
      break;
    case 'reopen':
      output.reopen();
      break;
    case 'stop':
      void writer.stop().then(() => port.close());
  }
});
writer.start();
