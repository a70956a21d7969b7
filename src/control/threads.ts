// Opens the sockets and keeps the threads that answer: starts them, feeds them memory, replaces those that die, stops them.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { StartError } from '../api/start-error.ts';
import type { Clock } from '../base/clock.ts';
import { limits } from '../base/limits.ts';
import type { Logger } from '../base/log.ts';
import type { AnswerMemory, AnswerSettings, ThreadMessage } from '../serve/answerer.ts';
import { type Bell, openBell } from '../serve/bell.ts';
import { type Ffi, loadFfi } from '../serve/ffi.ts';
import type { ListenAddress } from '../serve/listen.ts';
import { type OpenSockets, openSockets } from '../serve/sockets.ts';
import type { TcpWorkerData } from '../serve/tcp-worker.ts';
import type { UdpWorkerData } from '../serve/udp-worker.ts';
import type { Watchdog } from './watchdog.ts';

export interface ThreadsOptions {
  readonly listen: readonly ListenAddress[];
  readonly workers: number;
  /** Whether data threads may have real-time priority. */
  readonly realtime: boolean;
  readonly tcp: Pick<
    TcpWorkerData,
    'idleTimeoutMs' | 'maxConnections' | 'maxConnectionsPerClient' | 'ipv4PrefixBits' | 'ipv6PrefixBits'
  >;
  /** Shared memory of the reader with this number. */
  readonly memory: (reader: number) => AnswerMemory;
  /** A reader's thread died: what it held is free. */
  readonly dropReader: (reader: number) => void;
  /** Told of every thread that answers; null: nobody watches. */
  readonly watchdog: Watchdog | null;
  /** An exception ended a thread. */
  readonly onFault: (error: unknown, thread: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Ready {
  readonly kind: 'ready';
  readonly ports: readonly number[];
  readonly failures: readonly string[];
  readonly realtime: boolean;
}

interface Thread {
  readonly reader: number;
  readonly name: string;
  readonly start: () => Worker;
  worker: Worker;
  port: MessagePort;
  readonly bell: Bell | null;
  /** Changes while the thread lives. */
  readonly beat: SharedArrayBuffer;
  running: boolean;
}

export class Threads {
  readonly #options: ThreadsOptions;
  /** What threads are started with, after `start`. */
  #answer: AnswerSettings | null = null;
  readonly #ffi: Ffi | null;
  #sockets: OpenSockets | null = null;
  readonly #threads: Thread[] = [];
  #stopping = false;
  #cancelTrim = (): void => {};
  /** Whether data threads have real-time priority while they have little to do, after `start`. */
  realtime = false;
  /** The addresses with their real ports, after `open`. */
  listening: readonly ListenAddress[] = [];

  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#ffi = process.env.MERIDIAN_UDP === 'dgram' ? null : loadFfi();
    this.#ffi?.shareArena();
  }

  /** How UDP is read and written. */
  get udp(): 'recvmmsg' | 'dgram' {
    return this.#ffi === null ? 'dgram' : 'recvmmsg';
  }

  /** Data threads: node:dgram can't share a port fairly, so it has one. */
  get dataThreads(): number {
    return this.#ffi === null ? 1 : this.#options.workers;
  }

  /** Opens the sockets (through libc) before anything else is started. Throws StartError with a line for each failure. */
  open(): void {
    if (this.#ffi === null) return;
    this.#sockets = openSockets(this.#ffi, this.#options.listen, this.dataThreads);
    if (this.#sockets.failures.length > 0) {
      this.#sockets.close();
      throw new StartError(this.#sockets.failures.map((failure) => failure.message).join('\n'));
    }
    this.listening = this.#sockets.listening;
  }

  /** Starts the threads and waits until they listen. Throws StartError. */
  async start(answer: AnswerSettings): Promise<void> {
    this.#answer = answer;
    const udp = Array.from({ length: this.dataThreads }, (_, i) => this.#add(`udp-${i}`, i + 1, this.#ffi !== null));
    const ready = await Promise.all(udp.map((thread) => this.#ready(thread)));
    this.realtime = ready.every((r) => r.realtime);
    if (this.#ffi === null) {
      const failures = ready.flatMap((r) => r.failures);
      if (failures.length > 0) throw new StartError(failures.join('\n'));
      this.listening = this.#options.listen.map((l, i) => ({ address: l.address, port: ready[0]!.ports[i]! }));
    }
    // Stopped meanwhile: what is started now would never be ended.
    if (this.#stopping) return;
    const tcp = await this.#ready(this.#add('tcp', 0, false));
    if (tcp.failures.length > 0) throw new StartError(tcp.failures.join('\n'));
  }

  /** Gives memory back that only the C heap still holds, now and then again every `limits.trimMs`. */
  trimHeap(): void {
    this.#cancelTrim();
    if (this.#ffi === null || this.#stopping) return;
    this.#ffi.trimHeap();
    this.#cancelTrim = this.#options.clock.after(limits.trimMs, () => this.trimHeap());
  }

  /** Gives memory that nothing is in any more back to the system. */
  discard(bytes: Uint8Array): void {
    this.#ffi?.discard(bytes);
  }

  /** Hands a new chunk of shared memory to every thread. They read it when they need it: no bell. */
  chunk(index: number, buffer: SharedArrayBuffer): void {
    this.#ffi?.hugePages(new Uint8Array(buffer));
    for (const thread of this.#threads)
      thread.port.postMessage({ kind: 'chunk', index, buffer } satisfies ThreadMessage);
  }

  /** Gives every thread, and those that will replace them, other cookie secrets. A thread takes them with its next query, or within its wait. */
  secrets(secrets: readonly Uint8Array[]): void {
    if (this.#answer === null || this.#stopping) return;
    this.#answer = { ...this.#answer, cookieSecrets: secrets };
    for (const thread of this.#threads) {
      thread.port.postMessage({ kind: 'secrets', secrets } satisfies ThreadMessage);
      thread.bell?.ring();
    }
  }

  /** Stops all threads: they answer what they have read. Ends within `limits.stopMs`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelTrim();
    await Promise.all(
      this.#threads.map(async (thread) => {
        if (!thread.running) return;
        const ended = new Promise<void>((resolve) => thread.worker.once('exit', () => resolve()));
        thread.port.postMessage({ kind: 'stop' } satisfies ThreadMessage);
        thread.bell?.ring();
        this.#sockets?.release(thread.reader - 1);
        let cancel = (): void => {};
        const late = new Promise<void>((resolve) => {
          cancel = this.#options.clock.after(limits.stopMs, () => {
            void thread.worker.terminate().then(() => resolve());
          });
        });
        await Promise.race([ended, late]);
        cancel();
      }),
    );
    for (const thread of this.#threads) thread.bell?.close();
    this.#sockets?.close();
  }

  #add(name: string, reader: number, blocking: boolean): Thread {
    const bell = blocking ? openBell(this.#ffi!) : null;
    const thread: Thread = {
      reader,
      name,
      bell,
      beat: new SharedArrayBuffer(4),
      running: true,
      start: () => this.#spawn(thread),
      worker: null as unknown as Worker,
      port: null as unknown as MessagePort,
    };
    thread.worker = thread.start();
    this.#threads.push(thread);
    this.#options.watchdog?.watch({
      name,
      beat: new Int32Array(thread.beat),
      replace: () => void thread.worker.terminate(),
    });
    return thread;
  }

  #spawn(thread: Thread): Worker {
    const { port1, port2 } = new MessageChannel();
    thread.port = port1;
    thread.running = true;
    port1.unref();
    const options = this.#options;
    const memory = options.memory(thread.reader);
    const isTcp = thread.reader === 0;
    const data: UdpWorkerData | TcpWorkerData = isTcp
      ? {
          memory,
          settings: this.#answer!,
          port: port2,
          fds: this.#sockets?.tcp.map((fd) => this.#sockets!.duplicate(fd)) ?? null,
          // node:dgram may have picked the port.
          listen: this.listening,
          beat: thread.beat,
          ...options.tcp,
        }
      : {
          memory,
          settings: this.#answer!,
          port: port2,
          sockets: this.#sockets?.udp[thread.reader - 1] ?? null,
          bell: thread.bell === null ? null : { fd: thread.bell.fd, rings: thread.bell.rings },
          listen: options.listen,
          realtime: options.realtime,
          beat: thread.beat,
        };
    Atomics.store(new Int32Array(thread.beat), 0, 0);
    const file = isTcp ? '../serve/tcp-worker.js' : '../serve/udp-worker.bundle.js';
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: data,
      transferList: [port2],
      name: thread.name,
      // What answers makes no garbage: a small young generation is never filled, and saves memory.
      resourceLimits: isTcp ? {} : { maxYoungGenerationSizeMb: limits.dataThreadYoungMb },
    });
    worker.on('error', (error: Error) => {
      options.log.error(
        { event: 'thread-failed', thread: thread.name, error: error.stack ?? error.message },
        'a thread failed',
      );
      options.onFault(error, thread.name);
    });
    worker.on('exit', () => {
      thread.running = false;
      options.dropReader(thread.reader);
      if (this.#stopping) return;
      // Its sockets are ours and go on collecting queries: the next thread answers them.
      options.log.error({ event: 'thread-restarted', thread: thread.name }, 'a thread ended and is started again');
      options.clock.after(limits.threadRestartMs, () => {
        this.#restart(thread);
      });
    });
    return worker;
  }

  #restart(thread: Thread): void {
    if (this.#stopping) return;
    const { log, clock } = this.#options;
    try {
      thread.worker = thread.start();
      // What keeps it from listening (a port that somebody else took meanwhile) would else be told to nobody.
      thread.port.once('message', ({ failures }: Ready) => {
        thread.port.unref();
        for (const failure of failures) {
          log.error({ event: 'thread-failed', thread: thread.name, error: failure }, 'a thread cannot listen');
        }
      });
    } catch (error) {
      // Out of descriptors, for one: it may pass.
      log.error({ event: 'thread-failed', thread: thread.name, error: String(error) }, 'a thread could not be started');
      clock.after(limits.threadRestartMs, () => this.#restart(thread));
    }
  }

  #ready(thread: Thread): Promise<Ready> {
    return new Promise((resolve, reject) => {
      thread.port.once('message', (message: Ready) => {
        thread.port.unref();
        resolve(message);
      });
      thread.worker.once('error', (error: Error) => reject(new StartError(`thread ${thread.name}: ${error.message}`)));
    });
  }
}
