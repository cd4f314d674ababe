import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hashFile, listBlobs } from './blob-files.ts';
import { flush } from './flush.ts';
import { bootId, clockSlackMs, readMarker, type Marker } from './journal.ts';
import { adoptedName, markerPrefix, type Layout } from './layout.ts';
import { keepPartial } from './partial-blob.ts';

/** What a start found after a process that didn't end well. */
export interface Recovery {
  /** Processes that died with unsynced blobs. */
  readonly interrupted: number;
  /** How many blobs were read again because the machine itself went down. */
  readonly verified: number;
  /** Blobs that didn't match their name and are gone. */
  readonly removed: readonly string[];
}

/**
 * Restores the promise that a visible blob matches its name, and tidies `tmp/`. Nobody else may
 * have the depot open. After a mere `kill -9` the kernel still has every byte that was written, so a
 * sync is enough; after another boot everything stored since the marker is read again.
 */
export async function recover(layout: Layout, syncCommand: string): Promise<Recovery> {
  const markers = await readMarkers(layout.root);
  const now = bootId();
  const crashed = markers.filter((marker) => marker.bootId === '' || marker.bootId !== now);
  const checked = await removeDamaged(layout, crashed);
  if (markers.length > 0) await flush(layout, blobsSince(layout, markers), syncCommand);
  for (const { file } of markers) rmSync(file, { force: true });
  tidy(layout);
  return { interrupted: markers.length, ...checked };
}

async function readMarkers(root: string): Promise<Marker[]> {
  const files = readdirSync(root)
    .filter((name) => name.startsWith(markerPrefix))
    .map((name) => join(root, name));
  return Promise.all(files.map((file) => readMarker(file, statSync(file).mtimeMs)));
}

async function removeDamaged(
  layout: Layout,
  markers: readonly Marker[],
): Promise<Pick<Recovery, 'verified' | 'removed'>> {
  const removed: string[] = [];
  let verified = 0;
  for await (const sha256 of blobsSince(layout, markers)) {
    const file = layout.blob(sha256);
    verified++;
    if ((await hashFile(file)) === sha256) continue;
    rmSync(file);
    removed.push(sha256);
  }
  return { verified, removed };
}

async function* blobsSince(layout: Layout, markers: readonly Marker[]): AsyncGenerator<string> {
  if (markers.length === 0) return;
  const since = Math.min(...markers.map((marker) => marker.since)) - clockSlackMs;
  for await (const { sha256, storedAt } of listBlobs(layout)) {
    if (storedAt >= since) yield sha256;
  }
}

/** Empties `tmp/`, but puts downloads back where the next attempt finds them. */
function tidy(layout: Layout): void {
  for (const name of readdirSync(layout.tmp)) {
    const file = join(layout.tmp, name);
    const sha256 = adoptedName(name);
    if (sha256 === undefined) rmSync(file, { recursive: true, force: true });
    else keepPartial(layout, sha256, file);
  }
  layout.make();
}
