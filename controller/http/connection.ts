import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const signals = new WeakMap<Socket, AbortSignal>();

/**
 * Aborts when a connection closes. A response that waits its turn behind a pipelined one never
 * hears of that by itself.
 */
export function closing(socket: Socket): AbortSignal {
  const known = signals.get(socket);
  if (known) return known;
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  signals.set(socket, controller.signal);
  if (socket.destroyed) controller.abort();
  else socket.once('close', () => controller.abort());
  return controller.signal;
}

/** Writes, and waits until the bytes have left. Rejects when the connection closes before that. */
export function write(res: ServerResponse, chunk: Uint8Array, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new Error('the client has gone'));
    if (gone.aborted || res.destroyed) return lost();
    gone.addEventListener('abort', lost, { once: true });
    res.write(chunk, (failure) => {
      gone.removeEventListener('abort', lost);
      if (failure) reject(failure);
      else resolve();
    });
  });
}
