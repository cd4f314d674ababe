import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { Turns } from './turns.ts';

/**
 * Takes a response as it arrives. A promise holds the response up until it resolves. Whatever is
 * thrown ends the exchange and reaches the caller.
 */
export interface Sink {
  start(status: number, headers: IncomingHttpHeaders): void | Promise<void>;
  data(chunk: Buffer): void | Promise<void>;
}

export interface ExchangeOptions {
  readonly signal: AbortSignal;
  /** How long the whole exchange may take, and how much longer for the bytes that have come. */
  readonly patience: Patience;
  /** Milliseconds to wait after `bytes` have arrived, to stay under a rate. */
  readonly pace?: (bytes: number) => number;
}

/** A trickle must not hold a slot for ever. */
export interface Patience {
  readonly ms: number;
  readonly slowestBytesPerSecond: number;
}

/**
 * One HTTP exchange, through undici's lowest interface: no stream and no promise for each chunk,
 * which is what makes tens of thousands of small files cheap.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  sink: Sink,
  { signal, patience, pace }: ExchangeOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let givenUp: Error | undefined;
    let received = 0;
    const abort = (reason: unknown) => {
      const error = reason instanceof Error ? reason : new Error(String(reason));
      givenUp ??= error;
      controller?.abort(error);
      finish(() => reject(error));
    };
    const onAbort = () => abort(signal.reason);
    const giveUpWaiting = limit(patience, () => received, abort);
    const finish = (settle: () => void) => {
      giveUpWaiting();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const turns = new Turns(() => givenUp !== undefined, abort);
    if (signal.aborted) {
      finish(() => reject(signal.reason));
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    dispatcher.dispatch(request, {
      onRequestStart(started) {
        controller = started;
        if (givenUp) started.abort(givenUp); // it was still waiting for a connection
      },
      onResponseStart(receiving, status, headers) {
        if (status >= 200) turns.take(receiving, () => sink.start(status, headers));
      },
      onResponseData(receiving, chunk) {
        received += chunk.length;
        const wait = pace?.(chunk.length) ?? 0;
        turns.take(receiving, () => {
          const busy = sink.data(chunk);
          return wait > 0 ? Promise.all([busy, delay(wait)]).then(() => {}) : busy;
        });
      },
      onResponseEnd() {
        turns.end(() => finish(resolve));
      },
      onResponseError(_, error) {
        finish(() => reject(error));
      },
    });
  });
}

/** Calls `giveUp` once the patience is over. Call what it returns when the exchange is. */
function limit(
  { ms, slowestBytesPerSecond }: Patience,
  received: () => number,
  giveUp: (error: Error) => void,
): () => void {
  const start = performance.now();
  let timer = setTimeout(check, ms);
  return () => clearTimeout(timer);

  function check(): void {
    const bytes = received();
    const passed = performance.now() - start;
    const left = ms + (bytes / slowestBytesPerSecond) * 1000 - passed;
    if (left > 0) timer = setTimeout(check, left);
    else giveUp(new Error(`only ${bytes} bytes after ${Math.round(passed / 1000)} s`));
  }
}
