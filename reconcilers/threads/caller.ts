import { Worker } from 'node:worker_threads';
import { CairnError } from '../../crds/reasons.ts';
import type { Failure, FromThread, ToThread } from './messages.ts';

/** A failure that came out of a worker thread, with the detail that it carried. */
export class ThreadError extends CairnError {
  readonly detail: unknown;

  constructor({ reason, message, detail }: Failure) {
    super(reason, message);
    this.detail = detail;
  }
}

export interface CallOptions<News> {
  readonly signal: AbortSignal;
  readonly onNews?: (news: News) => void;
}

interface Pending<Answer, News> {
  readonly onNews: ((news: News) => void) | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A worker thread that answers calls, any number at a time; started by the first one. Should the
 * thread die, its calls fail as InternalError and the next one starts another: what it does must
 * have no effect before it is complete. It doesn't keep the process alive.
 */
export class ThreadCaller<Call, Answer, News = never> {
  readonly #script: URL;
  readonly #data: unknown;
  readonly #pending = new Map<number, Pending<Answer, News>>();
  readonly #idleMs: number | undefined;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 1;

  /**
   * `data` is what the thread finds in its `workerData`. A thread without calls for `idleMs` ends,
   * which gives back its memory.
   */
  constructor(script: URL, data: unknown, { idleMs }: { readonly idleMs?: number } = {}) {
    this.#script = script;
    this.#data = data;
    this.#idleMs = idleMs;
  }

  /** Rejects with a ThreadError, or with the signal's reason. */
  call(call: Call, { signal, onNews }: CallOptions<News>): Promise<Answer> {
    const worker = this.#started();
    const id = this.#nextId;
    this.#nextId += 1;
    const send = (message: ToThread<Call>) => worker.postMessage(message);
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const settle = (how: () => void) => {
        signal.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
        this.#waitForCalls();
        how();
      };
      const onAbort = () => {
        send({ type: 'abort', id });
        settle(() => reject(signal.reason));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        onNews,
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      });
      send({ type: 'call', id, call });
    });
  }

  /** Ends the thread, whatever it is doing; calls that run fail. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
    this.#failAll(new CairnError('InternalError', 'the worker thread was closed'));
  }

  #waitForCalls(): void {
    if (this.#idleMs === undefined || this.#pending.size > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#pending.size === 0) void this.close();
    }, this.#idleMs).unref();
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(this.#script, { workerData: this.#data });
    worker.on('message', (message: FromThread<Answer, News>) => this.#take(message));
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', () => this.#died(worker, new Error('the thread ended')));
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #take(message: FromThread<Answer, News>): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'news') pending.onNews?.(message.news);
    else if (message.type === 'done') pending.resolve(message.answer);
    else pending.reject(new ThreadError(message.failure));
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#failAll(new CairnError('InternalError', 'a worker thread died', { cause }));
  }

  #failAll(error: CairnError): void {
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }
}
