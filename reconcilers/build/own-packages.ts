import { readDebIdentity } from '../../apt/deb.ts';
import { readDsc } from '../../apt/upload.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Artifact } from '../../builders/results.ts';
import type { BlobReader } from '../../depot/depot.ts';

const mostDscBytes = 16 * 2 ** 20;

export interface Built {
  readonly sourceName: string;
  readonly version: string;
}

/**
 * What a build's packages say of themselves that is not so; undefined when all say that they are of the source
 * package that was built. A build can make of its changelog what it likes: nobody would know then which commit
 * such a package is of, and no later version would be higher. Binary packages may have versions of their own, as
 * `dpkg-gencontrol -v` gives them. What can't be read is left to the repository, which says why.
 */
export async function foreignPackage(
  artifacts: readonly Artifact[],
  { sourceName, version }: Built,
  blobs: Pick<BlobReader, 'read' | 'bytes'>,
): Promise<string | undefined> {
  for (const artifact of artifacts) {
    const said = await sourceOf(artifact, blobs);
    if (!said || (said.source === sourceName && said.sourceVersion === version)) continue;
    return `${artifact.name} says that it is of ${said.source} ${said.sourceVersion}, and this is ${sourceName} ${version}`;
  }
  return undefined;
}

interface Said {
  readonly source: string;
  readonly sourceVersion: string;
}

async function sourceOf(
  { name, sha256 }: Artifact,
  blobs: Pick<BlobReader, 'read' | 'bytes'>,
): Promise<Said | undefined> {
  try {
    if (name.endsWith('.deb')) return await readDebIdentity(await blobs.read(sha256));
    if (!name.endsWith('.dsc')) return undefined;
    const { source, version } = await readDsc(await blobs.bytes(sha256, mostDscBytes), { name });
    return { source, sourceVersion: version };
  } catch (error) {
    if (error instanceof CairnError && unreadable.has(error.reason)) return undefined;
    throw error;
  }
}

const unreadable: ReadonlySet<string> = new Set(['PackageInvalid', 'TooLarge']);
