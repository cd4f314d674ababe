import type { Failure, Progress, Refreshed, RefreshRequest } from './request.ts';

/** What the main thread tells the mirror thread. */
export type ToThread =
  | { readonly type: 'refresh'; readonly id: number; readonly request: RefreshRequest }
  | { readonly type: 'abort'; readonly id: number };

/** What the mirror thread answers; `id` is that of the refresh. */
export type FromThread =
  | { readonly type: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly type: 'done'; readonly id: number; readonly refreshed: Refreshed }
  | { readonly type: 'failed'; readonly id: number; readonly failure: Failure };

export interface ThreadData {
  readonly depot: string;
  readonly cache: string;
}
