import { namedFailure } from '../failures.ts';
import type { BlobsOptions } from '../file-blobs.ts';
import { Layout } from '../layout.ts';
import { recover } from '../recovery.ts';
import { attach } from './attach.ts';
import { BucketBlobs } from './bucket-blobs.ts';
import type { BucketLocation } from './location.ts';
import { Outbox } from './outbox.ts';
import { S3Bucket } from './s3-bucket.ts';

/** Opens a depot whose blobs are in a bucket, see `openDepot`. */
export async function openBucket(
  root: string,
  location: BucketLocation,
  options: BlobsOptions & { readonly isMain?: boolean },
): Promise<BucketBlobs> {
  const {
    syncCommand = 'sync',
    recover: recovers = false,
    guest = false,
    isMain = false,
  } = options;
  const layout = new Layout(root, { guest });
  const bucket = new S3Bucket(location);
  try {
    layout.make();
    const outbox = new Outbox(root);
    const guests = recovers === 'beside guests';
    if (recovers) await recover(layout, syncCommand, { guests });
    if (isMain) await attach(layout, bucket, outbox);
    const blobs = new BucketBlobs(layout, { bucket, outbox, syncCommand });
    if (isMain) blobs.keepHouse(location.cacheBytes);
    return blobs;
  } catch (error) {
    bucket.close();
    throw namedFailure(error);
  }
}
