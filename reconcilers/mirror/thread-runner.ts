import { Worker } from 'node:worker_threads';
import { CairnError } from '../../crds/reasons.ts';
import { ShrinkHeldError } from './failures.ts';
import type { Progress, Refreshed, RefreshRequest } from './request.ts';
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts';

/** Runs refreshes somewhere. Rejects with a CairnError, or with the signal's reason. */
export interface RefreshRunner {
  refresh(
    request: RefreshRequest,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Refreshed>;
}

interface Pending {
  readonly onProgress: (progress: Progress) => void;
  readonly resolve: (refreshed: Refreshed) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs refreshes in one worker thread, started when the first is asked for. Should the thread die,
 * its refreshes fail as InternalError and the next one starts another; nothing is lost, since a
 * refresh has no effect before it is complete.
 */
export class ThreadRunner implements RefreshRunner {
  readonly #data: ThreadData;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #nextId = 1;

  constructor(data: ThreadData) {
    this.#data = data;
  }

  refresh(
    request: RefreshRequest,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<Refreshed> {
    const worker = this.#started();
    const id = this.#nextId;
    this.#nextId += 1;
    const send = (message: ToThread) => worker.postMessage(message);
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = () => {
        send({ type: 'abort', id });
        settle(() => reject(signal.reason));
      };
      const settle = (how: () => void) => {
        signal.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
        how();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        onProgress,
        resolve: (refreshed) => settle(() => resolve(refreshed)),
        reject: (error) => settle(() => reject(error)),
      });
      send({ type: 'refresh', id, request });
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: this.#data });
    worker.on('message', (message: FromThread) => this.#take(message));
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', () => this.#died(worker, new Error('the mirror thread ended')));
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #take(message: FromThread): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'progress') pending.onProgress(message.progress);
    else if (message.type === 'done') pending.resolve(message.refreshed);
    else if (message.failure.shrink) pending.reject(new ShrinkHeldError(message.failure.shrink));
    else pending.reject(new CairnError(message.failure.reason, message.failure.message));
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const error = new CairnError('InternalError', 'the mirror thread died', { cause });
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }
}
