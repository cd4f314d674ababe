import type { IncomingMessage } from 'node:http';

/** Cuts the connection of who takes longer than this to send a body. Milliseconds. */
export function limitBodyTime(req: IncomingMessage, ms: number): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = req.headers;
  if ((length === undefined || length === '0') && encoding === undefined) return;
  const timer = setTimeout(() => {
    if (!req.complete) req.socket.destroy();
  }, ms).unref();
  req.once('close', () => clearTimeout(timer));
}
