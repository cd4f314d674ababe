const mostNames = 100_000;
const trustedMs = 10 * 60_000;

/** Which blobs the bucket had a short while ago, and their sizes: spares a request for each look. */
export class KnownBlobs {
  readonly #sizes = new Map<string, { readonly size: number; readonly until: number }>();

  size(sha256: string): number | undefined {
    const known = this.#sizes.get(sha256);
    return known && known.until > performance.now() ? known.size : undefined;
  }

  add(sha256: string, size: number): void {
    if (this.#sizes.size >= mostNames) this.#sizes.clear();
    this.#sizes.set(sha256, { size, until: performance.now() + trustedMs });
  }

  forget(sha256: string): void {
    this.#sizes.delete(sha256);
  }
}
