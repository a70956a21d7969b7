// Backends that behave as a test wants, on ports that the system picks.
import { createSocket, type Socket as DatagramSocket, type RemoteInfo } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './ports.ts';

/** Something that listens. */
export interface Backend {
  readonly port: number;
  close(): Promise<void>;
}

/** A TCP server that calls `handler` for each connection. */
export function tcpBackend(handler: (socket: Socket) => void, server: Server = createServer()): Promise<Backend> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    handler(socket);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise<void>((done) => {
            server.close(() => done());
            for (const socket of sockets) socket.destroy();
          }),
      }),
    );
  });
}

/** A UDP server that calls `handler` for each datagram; rejects when `port` is taken. */
export function udpBackend(
  handler: (data: Buffer, reply: (data: Uint8Array) => void, from: RemoteInfo, socket: DatagramSocket) => void,
  port = 0,
): Promise<Backend> {
  const socket = createSocket('udp4');
  let open = true;
  socket.on('message', (data, from) =>
    handler(data, (answer) => open && socket.send(answer, from.port, from.address, () => {}), from, socket),
  );
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.bind(port, '127.0.0.1', () =>
      resolve({
        port: socket.address().port,
        close: () =>
          new Promise<void>((done) => {
            open = false;
            socket.close(() => done());
          }),
      }),
    );
  });
}

/** A port of 127.0.0.1 on which nothing listens. */
export function refusedPort(): Promise<number> {
  return freePort();
}
