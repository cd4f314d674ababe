/** What the thread that renews the lease is started with. */
export interface LeaseThreadData {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  /**
   * See `sharedMemory`. `until`, of `monotonicMs`: this process leads until then. 0: it does not.
   * `beats`: the main thread moves.
   */
  readonly memory: SharedArrayBuffer;
  readonly longestStillMs: number;
}

/** What that thread tells. */
export type LeaseNews =
  | { readonly type: 'leading'; readonly epoch: number }
  | { readonly type: 'lost'; readonly because: string }
  /** Another one leads, until then (of `monotonicMs`) at most; reached there, if that is known. */
  | { readonly type: 'follows'; readonly address: string | undefined; readonly until: number }
  /** The API server was asked something: see `RequestObserver`. */
  | {
      readonly type: 'asked';
      readonly method: string;
      readonly code: string;
      readonly seconds: number | undefined;
    }
  | { readonly type: 'told'; readonly message: string; readonly isTrouble: boolean };

/** What that thread is told. */
export type LeaseOrder =
  | { readonly type: 'stop' }
  /** How others reach this process. */
  | { readonly type: 'address'; readonly address: string };
