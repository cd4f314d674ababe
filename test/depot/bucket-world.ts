import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BucketLocation } from '../../depot/bucket/location.ts';
import { openDepot, type Depot } from '../../depot/open.ts';
import type { S3 } from '../world/s3.ts';
import type { Scope } from '../world/temp.ts';

/** Where a depot of its own may be in the bucket of a server. */
export function newLocation(s3: S3, more: Partial<BucketLocation> = {}): BucketLocation {
  const { accessKeyId, secretAccessKey, region } = s3.keys;
  const { bucket: name, endpoint } = s3;
  const prefix = `${randomUUID()}/`;
  return { name, prefix, endpoint, region, credentials: { accessKeyId, secretAccessKey }, ...more };
}

/** The file in which the server keeps a blob. */
export function objectFile(s3: S3, { prefix }: BucketLocation, sha256: string): string {
  return s3.fileOf(`${prefix}sha256/${sha256.slice(0, 2)}/${sha256}`);
}

/** A folder for caches. When the test is over, what was opened on it is closed, and it goes. */
export interface DepotFolder {
  readonly root: string;
  /** Opens the depot as a process does. */
  open(bucket: BucketLocation): Promise<Depot>;
}

export async function depotFolder(test: Scope): Promise<DepotFolder> {
  const root = await mkdtemp(join(tmpdir(), 'cairn-depot-'));
  const opened: Depot[] = [];
  test.after(async () => {
    await Promise.all(opened.map((depot) => depot.close()));
    await rm(root, { recursive: true, force: true });
  });
  return {
    root,
    async open(bucket) {
      const depot = await openDepot({ root, bucket }, { recover: true, isMain: true });
      opened.push(depot);
      return depot;
    },
  };
}

/** Opens a depot with an empty cache. */
export async function openedDepot(
  test: Scope,
  bucket: BucketLocation,
): Promise<{ root: string; blobs: Depot }> {
  const folder = await depotFolder(test);
  return { root: folder.root, blobs: await folder.open(bucket) };
}
