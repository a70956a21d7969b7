// Queries without end, each with a number of its own, so many outstanding at a time: counts what is never answered.
import { createSocket } from 'node:dgram';
import { query, type Server } from './dns.ts';

export interface Flood {
  readonly sent: number;
  /** Ends it; resolves with the queries that were never answered, however long that was waited for. */
  stop(): Promise<{ readonly sent: number; readonly lost: number }>;
}

/** Asks for `name` A over UDP. Each of the sockets is another client to the kernel, which spreads them over the server's sockets. */
export function flood(
  server: Server,
  name: string,
  { sockets = 8, outstanding = 16, patienceMs = 20_000 } = {},
): Flood {
  let stopping = false;
  let sent = 0;
  let open = 0;
  const clients = Array.from({ length: sockets }, () => {
    const socket = createSocket('udp4');
    const waiting = new Set<number>();
    let next = 0;
    const send = (): void => {
      if (stopping) return;
      next = (next + 1) % 65_536;
      if (waiting.has(next)) return;
      waiting.add(next);
      sent++;
      open++;
      socket.send(query({ id: next, name, type: 'A' }), server.port, server.host);
    };
    socket.on('message', (reply) => {
      if (!waiting.delete(reply.readUInt16BE(0))) return;
      open--;
      send();
    });
    socket.on('error', () => {});
    socket.bind(0, '127.0.0.1', () => {
      for (let i = 0; i < outstanding; i++) send();
    });
    return socket;
  });
  return {
    get sent() {
      return sent;
    },
    stop: async () => {
      stopping = true;
      const untilMs = Date.now() + patienceMs;
      while (open > 0 && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const socket of clients) socket.close();
      return { sent, lost: open };
    },
  };
}
