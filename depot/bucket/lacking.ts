import type { Blob } from '../depot.ts';
import { fanOut } from '../layout.ts';
import { Budget } from './budget.ts';
import { blobPrefix, nameOf } from './keys.ts';
import type { Outbox } from './outbox.ts';
import type { S3Bucket } from './s3-bucket.ts';

const looksAtOnce = 64;
const listsAtOnce = 16;
/** A page of a list has 1000 objects and costs as much as a look at one; some are in vain. */
const worthListing = 10_000;
const mostPagesPerLook = 0.5;
const pageSize = 1000;

/**
 * Those blobs that neither the bucket nor the outbox has in their full size. Of many, the bucket
 * is listed; when it turns out to hold far more than is wanted, each is looked at after all.
 */
export async function lackingOf<B extends Blob>(
  wanted: readonly B[],
  depot: {
    readonly bucket: S3Bucket;
    readonly outbox: Outbox;
    readonly size: (sha256: string) => Promise<number | undefined>;
  },
): Promise<readonly B[]> {
  const listed = wanted.length >= worthListing ? await sizesOf(depot.bucket, wanted) : undefined;
  const budget = new Budget(looksAtOnce, Infinity);
  const sizes = await Promise.all(
    wanted.map(({ sha256 }) =>
      listed === undefined || depot.outbox.size(sha256) !== undefined
        ? budget.use(0, () => depot.size(sha256))
        : listed.get(sha256),
    ),
  );
  return wanted.filter(({ size }, at) => sizes[at] !== size);
}

/** The sizes of those that are there; undefined when the list gets too long. */
async function sizesOf(
  bucket: S3Bucket,
  wanted: readonly Blob[],
): Promise<ReadonlyMap<string, number> | undefined> {
  const names = new Set(wanted.map(({ sha256 }) => sha256));
  const found = new Map<string, number>();
  const budget = new Budget(listsAtOnce, Infinity);
  const most = wanted.length * mostPagesPerLook * pageSize;
  let seen = 0;
  await Promise.all(
    fanOut().map((prefix) =>
      budget.use(0, async () => {
        for await (const { key, size } of bucket.list(`${blobPrefix}${prefix}/`)) {
          const sha256 = nameOf(key);
          if (sha256 !== undefined && names.has(sha256)) found.set(sha256, size);
          seen += 1;
          if (seen > most) return;
        }
      }),
    ),
  );
  return seen > most ? undefined : found;
}
