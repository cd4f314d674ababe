import type { Depot } from '../depot/open.ts';

/** How to have clients fetch a large file from where it is, instead of through this server. */
export interface Redirect {
  readonly aboveBytes: number;
  /** A URL that is good for a while, or undefined for a file that has to come from here. */
  url(sha256: string, contentType: string): Promise<string | undefined>;
}

/** A client follows at once; if it breaks off and comes back, it asks us again. */
const validSeconds = 15 * 60;

/** Undefined where files don't leave the depot but through this server. */
export function redirectOf(depot: Depot, aboveBytes: number | undefined): Redirect | undefined {
  if (aboveBytes === undefined) return undefined;
  return {
    aboveBytes,
    url: async (sha256, contentType) => depot.redirect?.(sha256, contentType, validSeconds),
  };
}
