import { safePath } from '../../apt/release.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Blob, Blobs, TreeEntry } from '../../depot/depot.ts';
import type { Upstream } from '../fetch/upstream.ts';

/** A SHA256SUMS that a Release lists: the boot images of the installer, which the Release doesn't. */
export interface ImageList {
  /** Its directory from the archive's root, with a slash at the end. */
  readonly directory: string;
  readonly blob: Blob;
}

const maxListBytes = 4 * 1024 * 1024;

/**
 * The images of a list as tree entries, sorted as the list is. The list has no sizes: those of
 * images that the depot lacks are asked of upstream. Images that upstream doesn't have are left
 * out. Throws IndexInvalid for a line that is not of `sha256sum`, and PathUnsafe.
 */
export async function installerImages(
  { directory, blob }: ImageList,
  { upstream, blobs, signal }: { upstream: Upstream; blobs: Blobs; signal: AbortSignal },
): Promise<readonly TreeEntry[]> {
  const text = (await blobs.bytes(blob.sha256, maxListBytes)).toString('utf8');
  const entries = await Promise.all(
    parseSums(text, directory).map(async ({ path, sha256 }) => {
      const size = (await blobs.size(sha256)) ?? (await upstream.size(path, signal));
      return size === undefined ? undefined : { path, sha256, size };
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}

function parseSums(text: string, directory: string): readonly { path: string; sha256: string }[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, at) => {
      const [, sha256, file] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
      if (sha256 === undefined || file === undefined) {
        throw new CairnError('IndexInvalid', `${directory}SHA256SUMS, line ${at + 1}: no checksum`);
      }
      return { path: directory + safePath(file), sha256 };
    });
}
