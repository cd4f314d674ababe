import { hash } from 'node:crypto';
import { apiVersion, type Manifest } from '../../crds/object.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import { StoreError, type StoreReader, type StoreWriter } from '../../crds/store.ts';
import type { Receipts, Received } from './receipts.ts';
import { waitsForLabel, UploadKind, type Upload, type UploadFile } from '../../crds/upload.ts';

type Unsigned = Omit<UploadFile, 'receipt'>;

export interface NewUpload<File extends Unsigned = Received<Unsigned>> {
  readonly repository: Pick<Repository, 'metadata'>;
  /** The name of the Upload. The same one for the same files: then asking twice is asking once. */
  readonly name: string;
  /** Their blobs are in the depot, and durable. */
  readonly files: readonly File[];
  readonly suite?: string | undefined;
  readonly component?: string | undefined;
}

const longestLabel = 63;

/** The value of the label that Uploads for a repository have. */
export function labelOf(repository: string): string {
  return repository.length <= longestLabel ? repository : hash('sha256', repository).slice(0, 60);
}

/** What to create, to have files published. */
export function uploadManifest({ repository, name, files, suite, component }: NewUpload): Manifest {
  const { name: owner, namespace, uid } = repository.metadata;
  const metadata = {
    name,
    namespace,
    labels: { [waitsForLabel]: labelOf(owner) },
    // It goes with its repository.
    ownerReferences: [{ apiVersion, kind: RepositoryKind.kind, name: owner, uid }],
  };
  return {
    apiVersion,
    kind: UploadKind.kind,
    metadata,
    spec: {
      repositoryRef: { name: owner },
      files: files.map(({ name, sha256, size, receipt }) => ({ name, sha256, size, receipt })),
      ...(suite === undefined ? {} : { suite }),
      ...(component === undefined ? {} : { component }),
    },
  };
}

/**
 * Has files of the depot published that Cairn has made itself: makes the Upload, or finds the one
 * that was made before under this name. Its status tells what becomes of it. Called again after a
 * crash, it does nothing twice.
 */
export async function requestUpload(
  store: StoreReader & Pick<StoreWriter, 'create'>,
  upload: NewUpload<Unsigned>,
  receipts: Receipts,
): Promise<Upload> {
  const { namespace, name: repository } = upload.repository.metadata;
  const files = upload.files.map(async (file) => {
    const receipt = await receipts.give({ namespace, repository, sha256: file.sha256 });
    return { ...file, receipt };
  });
  const manifest = uploadManifest({ ...upload, files: await Promise.all(files) });
  try {
    return (await store.create(manifest)) as Upload; // the store validated it as such
  } catch (error) {
    if (!(error instanceof StoreError) || error.reason !== 'AlreadyExists') throw error;
    const { namespace } = upload.repository.metadata;
    const found = await store.get({ kind: UploadKind.kind, namespace, name: upload.name });
    if (!found) throw error;
    return found as Upload;
  }
}
