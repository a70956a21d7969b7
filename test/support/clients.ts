// DNS clients for tests: datagrams and framed streams, answers matched by their first two bytes.
import { createSocket, type Socket as UdpClientSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A message: id, a command for the toy responder in the fourth byte, filler. */
export function message(id: number, command = 0, length = 24): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (id + i * 7) & 0xff;
  if (length >= 2) bytes.writeUInt16BE(id, 0);
  if (length >= 4) {
    bytes[2] = 0;
    bytes[3] = command;
  }
  return bytes;
}

/** Something that asks and collects answers by id. */
export interface Asker {
  send(request: Uint8Array): void;
  /** Resolves when all these ids have been answered; rejects with what is missing after `withinMs`. */
  answers(ids: readonly number[], withinMs?: number): Promise<Map<number, Buffer>>;
  readonly localPort: number;
  close(): void;
}

class Answers {
  readonly got = new Map<number, Buffer>();
  #check: (() => void) | undefined;

  add(answer: Buffer): void {
    this.got.set(answer.readUInt16BE(0), answer);
    this.#check?.();
  }

  wait(ids: readonly number[], withinMs: number): Promise<Map<number, Buffer>> {
    return new Promise((resolve, reject) => {
      const missing = (): number[] => ids.filter((id) => !this.got.has(id));
      const timer = setTimeout(
        () => reject(new Error(`${missing().length} of ${ids.length} not answered, first ${missing()[0]}`)),
        withinMs,
      );
      this.#check = () => {
        if (missing().length > 0) return;
        clearTimeout(timer);
        resolve(this.got);
      };
      this.#check();
    });
  }
}

/** A UDP client that only takes answers from the very address and port that it asks (it is connected). */
export async function askUdp(host: string, port: number): Promise<Asker & { readonly socket: UdpClientSocket }> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 });
  const answers = new Answers();
  socket.on('message', (answer) => answers.add(answer));
  socket.on('error', () => {});
  socket.connect(port, host);
  await once(socket, 'connect');
  return {
    socket,
    localPort: socket.address().port,
    send: (request) => socket.send(request),
    answers: (ids, withinMs = 5000) => answers.wait(ids, withinMs),
    close: () => socket.close(),
  };
}

/** A TCP client that frames requests and takes answers apart. */
export async function askTcp(host: string, port: number): Promise<Asker & { readonly socket: Socket }> {
  const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
  const answers = new Answers();
  let held = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      answers.add(Buffer.from(held.subarray(2, end)));
      held = held.subarray(end);
    }
  });
  await once(socket, 'connect');
  return {
    socket,
    localPort: socket.localPort!,
    send: (request) => socket.write(frame(request)),
    answers: (ids, withinMs = 5000) => answers.wait(ids, withinMs),
    close: () => socket.destroy(),
  };
}

/** A message with its two-octet length in front. */
export function frame(bytes: Uint8Array): Buffer {
  const framed = Buffer.alloc(2 + bytes.length);
  framed.writeUInt16BE(bytes.length);
  framed.set(bytes, 2);
  return framed;
}
