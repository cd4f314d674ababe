import type { Request, Response } from 'express';
import { closing, write } from '../connection.ts';
import type { Status } from './status.ts';
import type { ApiObject } from './table.ts';

/** One line of a watch. */
export interface Line {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: ApiObject | Status;
}

/** How long a watch lasts when the client doesn't say; clients start another one. */
const defaultSeconds = 1800;
/** A client that takes nothing for so long is gone. Milliseconds. */
const patience = 300_000;

/** Until when a watch lasts: `gone` aborts with the client alone, `signal` with everything. */
export function watchSignal(
  req: Request,
  shutdown: AbortSignal,
): { readonly gone: AbortSignal; readonly signal: AbortSignal } {
  const gone = closing(req.socket);
  const late = AbortSignal.timeout(secondsOf(req) * 1000);
  return { gone, signal: AbortSignal.any([gone, shutdown, late]) };
}

/** Sends the head of a stream of JSON lines. */
export function openStream(req: Request, res: Response): void {
  req.socket.setTimeout(0);
  res.on('error', () => undefined);
  res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  res.flushHeaders();
}

export async function send(res: Response, line: Line, gone: AbortSignal): Promise<void> {
  const timer = setTimeout(() => res.socket?.destroy(), patience);
  try {
    await write(res, Buffer.from(`${JSON.stringify(line)}\n`), gone);
  } finally {
    clearTimeout(timer);
  }
}

function secondsOf(req: Request): number {
  const seconds = Number(req.query['timeoutSeconds']);
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, 86_400) : defaultSeconds;
}
