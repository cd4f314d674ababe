import { readdirSync, rmSync, statSync, writeFileSync, type Dirent } from 'node:fs';
import { basename, join } from 'node:path';
import { hashFile, listBlobs } from './blob-files.ts';
import { isCode } from './failures.ts';
import { FileSystemSync } from './file-system-sync.ts';
import { flush } from './flush.ts';
import { bootId, clockSlackMs, readMarker, type Marker } from './journal.ts';
import { adoptedName, isOfGuest, markerPrefix, type Layout } from './layout.ts';
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

/** Who may have the depot open meanwhile. */
export interface Beside {
  /** Guests: what they have made is theirs while it is fresh. Else nobody. */
  readonly guests: boolean;
  /** How long something is fresh after it was last touched; 15 minutes by default. */
  readonly freshMs?: number;
}

/** More than a download may be silent for, and much more than the time between two touches. */
const defaultFreshMs = 15 * 60_000;

/**
 * Restores the promise that a visible blob matches its name, and tidies `tmp/`. After a mere
 * `kill -9` the kernel still has every byte that was written, so a sync is enough; after another boot
 * everything stored since the marker is read again.
 */
export async function recover(
  layout: Layout,
  syncCommand: string,
  { guests, freshMs = defaultFreshMs }: Beside,
): Promise<Recovery> {
  const isTheirs = guests ? freshOfGuests(layout, freshMs) : () => false;
  const markers = await readMarkers(layout.root);
  const now = bootId();
  const crashed = markers.filter((marker) => marker.bootId === '' || marker.bootId !== now);
  const checked = await removeDamaged(layout, crashed);
  if (markers.length > 0)
    await flush(layout, blobsSince(layout, markers), new FileSystemSync(syncCommand));
  // What a living guest has stored since is not on the disk yet: its marker stays.
  const left = markers.filter(({ file }) => !isTheirs(file));
  for (const { file } of left) rmSync(file, { force: true });
  tidy(layout, isTheirs);
  return { interrupted: markers.length, ...checked };
}

async function readMarkers(root: string): Promise<Marker[]> {
  const files = readdirSync(root)
    .filter((name) => name.startsWith(markerPrefix))
    .map((name) => join(root, name));
  const read = await Promise.all(files.map(readIfThere));
  return read.filter((marker) => marker !== undefined);
}

/** A guest may be removing its own. */
async function readIfThere(file: string): Promise<Marker | undefined> {
  try {
    return await readMarker(file, statSync(file).mtimeMs);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
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
function tidy(layout: Layout, isTheirs: (file: string) => boolean): void {
  for (const { name, parentPath } of filesIn(layout.tmp)) {
    const file = join(parentPath, name);
    if (isTheirs(file)) continue;
    const sha256 = adoptedName(name);
    if (sha256 === undefined) rmSync(file, { force: true });
    else keepPartial(layout, sha256, file);
  }
  layout.make();
}

function filesIn(folder: string): readonly Dirent[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  return all.filter((entry) => !entry.isDirectory());
}

/**
 * Tells files of guests that were touched a moment ago. Processes on other machines can't be asked
 * whether they live, and clocks differ: the file system's own counts, as the times of a change that
 * is made now.
 */
function freshOfGuests(layout: Layout, freshMs: number): (file: string) => boolean {
  const sample = layout.draft();
  writeFileSync(sample, '');
  const now = statSync(sample).ctimeMs;
  rmSync(sample);
  return (file) => {
    if (!isOfGuest(basename(file))) return false;
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined || now - stat.ctimeMs < freshMs; // gone: they have just ended with it
  };
}
