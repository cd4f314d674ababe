import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';

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
  /** Gives up when the whole exchange takes longer, so that a trickle can't hold a slot for ever. */
  readonly deadlineMs: number;
  /** Milliseconds to wait after `bytes` have arrived, to stay under a rate. */
  readonly pace?: (bytes: number) => number;
}

/**
 * One HTTP exchange, through undici's lowest interface: no stream and no promise for each chunk,
 * which is what makes tens of thousands of small files cheap.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  sink: Sink,
  { signal, deadlineMs, pace }: ExchangeOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let givenUp: Error | undefined;
    const abort = (reason: unknown) => {
      const error = reason instanceof Error ? reason : new Error(String(reason));
      givenUp = error;
      controller?.abort(error);
      finish(() => reject(error));
    };
    const onAbort = () => abort(signal.reason);
    const deadline = setTimeout(
      () => abort(new Error(`not complete after ${Math.round(deadlineMs / 1000)} s`)),
      deadlineMs,
    );
    const finish = (settle: () => void) => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const guarded = (
      receiving: Dispatcher.DispatchController,
      work: () => void | Promise<void>,
    ) => {
      try {
        const busy = work();
        if (!busy) return;
        receiving.pause();
        busy.then(() => receiving.resume(), abort);
      } catch (error) {
        abort(error);
      }
    };
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
        if (status >= 200) guarded(receiving, () => sink.start(status, headers));
      },
      onResponseData(receiving, chunk) {
        const wait = pace?.(chunk.length) ?? 0;
        guarded(receiving, () => {
          const busy = sink.data(chunk);
          return wait > 0 ? Promise.all([busy, delay(wait)]).then(() => {}) : busy;
        });
      },
      onResponseEnd() {
        finish(resolve);
      },
      onResponseError(_, error) {
        finish(() => reject(error));
      },
    });
  });
}
