import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CairnError } from '../../crds/reasons.ts';

/** A state of a config source as files. */
export interface Checkout {
  readonly root: string;
  /** The commit; left out where the files themselves are the only truth, and may be in motion. */
  readonly revision?: string;
}

export interface OriginState {
  /** The last good state; nothing until there is one. */
  readonly checkout?: Checkout;
  /** Why there is no newer state. */
  readonly failure?: CairnError;
}

/** Where a config source comes from. Looks for changes in the background and tells of them. */
export interface Origin {
  state(): OriginState;
  /** Looks again now; resolves when that is done, well or not. */
  refresh(): Promise<void>;
  /** For how long a look has been due that nobody has taken, or that has not ended; mostly 0. */
  lateMs?(): number;
  /** Ends all that goes on in the background. */
  close(): Promise<void>;
}

/**
 * Whether a location is a directory of manifests or a git repository. A path is the latter when it
 * leads to a bare repository, or leads nowhere and ends in `.git`; a URL and `user@host:path` are
 * always.
 */
export async function originType(location: string): Promise<'directory' | 'git'> {
  if (isRemote(location)) return 'git';
  const isDirectory = await stat(location).then((stats) => stats.isDirectory(), isFalse);
  if (!isDirectory) return location.endsWith('.git') ? 'git' : 'directory';
  return (await isBareRepository(location)) ? 'git' : 'directory';
}

/** Whether a location is a URL or `user@host:path`, not a path of this machine. */
export function isRemote(location: string): boolean {
  return /^[a-z][a-z+.-]*:\/\//i.test(location) || /^[^/:@\s]+@[^/:\s]+:/.test(location);
}

async function isBareRepository(directory: string): Promise<boolean> {
  const parts = await Promise.all(
    ['HEAD', 'objects', 'refs'].map((part) => stat(join(directory, part)).then(isTrue, isFalse)),
  );
  return parts.every(Boolean);
}

function isTrue(): boolean {
  return true;
}

function isFalse(): boolean {
  return false;
}
