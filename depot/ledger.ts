/** Where a store of blobs notes what has to be made durable before a reference may name it. */
export interface Ledger {
  /**
   * To be called with the complete file, before a blob becomes visible and in the same tick: a sync
   * may run beside us.
   */
  storing(sha256: string, file: string): void;
  /** A blob that is here already is relied on. False when it turns out to be gone. */
  relyingOn(sha256: string, changedMs: number): boolean;
  /** As `relyingOn`, for a mere look: remembers that there was one, not which. */
  seen(changedMs: number): void;
  /** Makes durable what was noted before this call; free when there is nothing new. */
  sync(): Promise<void>;
}
