import type { DepotLocation } from './bucket/location.ts';
import { attachmentOf } from './bucket/attach.ts';
import type { Blobs } from './depot.ts';
import { openBlobs, type BlobsOptions } from './file-blobs.ts';

export type { BucketLocation, DepotLocation } from './bucket/location.ts';

/** Blobs that also know what only some stores can do. */
export interface Depot extends Blobs {
  /**
   * A URL from which a client can read a blob itself for a while, if the store has such. It is a
   * secret of who may read the blob: never log it.
   */
  redirect?(sha256: string, contentType: string, seconds: number): Promise<string | undefined>;
}

/**
 * Opens a depot: a folder, or a bucket with a folder as its cache. `isMain` is for one instance of
 * each process: it attaches the folder to the bucket, uploads what was left, and keeps the cache
 * within bounds. Throws `DepotFull` and `DepotUnavailable`.
 */
export async function openDepot(
  { root, bucket }: DepotLocation,
  options: BlobsOptions & { readonly isMain?: boolean } = {},
): Promise<Depot> {
  if (bucket === undefined) {
    refuseCache(root);
    return openBlobs(root, options);
  }
  // Loaded only here: the SDK is large.
  const { openBucket } = await import('./bucket/open.ts');
  return openBucket(root, bucket, options);
}

/** A mere cache has not all that is referred to. */
function refuseCache(root: string): void {
  const attached = attachmentOf(root);
  if (attached === undefined) return;
  throw new Error(
    `the depot in ${root} is a cache of the bucket ${attached.bucket}; start with --bucket, ` +
      'or with another data directory',
  );
}
