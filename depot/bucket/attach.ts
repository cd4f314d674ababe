import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { listBlobs } from '../blob-files.ts';
import { replaceDurably } from '../durable.ts';
import { isCode } from '../failures.ts';
import type { Layout } from '../layout.ts';
import type { Outbox } from './outbox.ts';
import type { S3Bucket } from './s3-bucket.ts';

/** The object that says which depot a bucket holds, and the file that says of which one this is a cache. */
const marker = 'depot.json';

/** Which depot, and where it was when this folder became a cache of it. */
export interface Attachment {
  readonly id: string;
  readonly bucket: string;
}

/** What a folder is a cache of; undefined when it is a depot of its own. */
export function attachmentOf(root: string): Attachment | undefined {
  try {
    return JSON.parse(readFileSync(join(root, marker), 'utf8')) as Attachment; // written by `attach`
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Makes a folder a cache of a bucket. The blobs that it has go into the outbox first: a depot that
 * was on this disk alone so far moves into the bucket. A cache of another bucket is refused: what
 * is referred to may be in the other one only. When it is attached already, asks nobody: what is in
 * the cache can be served while the bucket can't be reached.
 */
export async function attach(layout: Layout, bucket: S3Bucket, outbox: Outbox): Promise<void> {
  const attached = attachmentOf(layout.root);
  if (attached?.bucket === bucket.url) return;
  const id = await idOf(bucket);
  if (attached !== undefined && attached.id !== id) throw otherBucket(layout, attached, bucket);
  if (attached === undefined) {
    for await (const { sha256 } of listBlobs(layout)) outbox.add(sha256, layout.blob(sha256));
  }
  const text = JSON.stringify({ id, bucket: bucket.url });
  replaceDurably(join(layout.root, marker), `${text}\n`, 0o644);
}

/** Throws when the bucket doesn't hold the depot any more of which this folder is a cache. */
export async function checkAttachment(root: string, bucket: S3Bucket): Promise<void> {
  const attached = attachmentOf(root);
  if (attached === undefined || attached.id === (await idOf(bucket))) return;
  throw new Error(
    `the bucket ${bucket.url} was emptied or replaced: ${root} is a cache of what it held before; ` +
      `to store there what is left in the cache, remove ${join(root, marker)} and start again`,
  );
}

/** Conditional writes: of all who come first, one makes it. */
async function idOf(bucket: S3Bucket): Promise<string> {
  await bucket.create(marker, Buffer.from(`${JSON.stringify({ id: randomUUID() })}\n`));
  const { content } = await bucket.read(marker);
  const { id } = JSON.parse((await buffer(content)).toString()) as { id: string }; // written above
  return id;
}

function otherBucket({ root }: Layout, attached: Attachment, bucket: S3Bucket): Error {
  return new Error(
    `the depot in ${root} is a cache of the bucket ${attached.bucket}, not of ${bucket.url}; ` +
      'start with that bucket, or with another data directory',
  );
}
