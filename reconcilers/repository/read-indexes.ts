import { IndexFile } from '../../apt/write/index-file.ts';
import type { Repository } from '../../crds/repository.ts';
import type { BlobReader } from '../../depot/depot.ts';
import type { Trees } from '../../depot/tree-reader.ts';
import { directoryOf, indexPath, placesOf, type IndexPlace } from './places.ts';

export interface IndexDeps {
  readonly blobs: Pick<BlobReader, 'bytes'>;
  readonly trees: Pick<Trees, 'open'>;
}

export const mostIndexBytes = 1024 * 1024 * 1024;

/** The indexes that a repository publishes now, of the places that are wanted. */
export async function* readIndexes(
  { spec, status: { state } }: Pick<Repository, 'spec' | 'status'>,
  isWanted: (place: IndexPlace) => boolean,
  { blobs, trees }: IndexDeps,
): AsyncGenerator<IndexFile> {
  if (!state) return;
  const tree = await trees.open(state.tree);
  for (const place of placesOf(spec).filter(isWanted)) {
    const found = await tree.get(`${directoryOf(place)}${indexPath(place)}.gz`);
    if (found) yield new IndexFile(await blobs.bytes(found.sha256, mostIndexBytes));
  }
}
