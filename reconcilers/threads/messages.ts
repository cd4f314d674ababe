import type { Reason } from '../../crds/reasons.ts';

/** What a failure looks like on its way between threads. `detail` is plain data. */
export interface Failure {
  readonly reason: Reason;
  readonly message: string;
  readonly detail?: unknown;
}

/** What the main thread tells a worker thread. */
export type ToThread<Call> =
  | { readonly type: 'call'; readonly id: number; readonly call: Call }
  | { readonly type: 'abort'; readonly id: number };

/** What a worker thread answers; `id` is that of the call. */
export type FromThread<Answer, News> =
  | { readonly type: 'news'; readonly id: number; readonly news: News }
  | { readonly type: 'done'; readonly id: number; readonly answer: Answer }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure };
