import { hash } from 'node:crypto';
import { apiVersion, type Manifest } from '../../crds/object.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import { StoreError, type StoreReader, type StoreWriter } from '../../crds/store.ts';
import type { Receipts, Received } from './receipts.ts';
import {
  waitsForLabel,
  UploadKind,
  type Removal,
  type Upload,
  type UploadFile,
} from '../../crds/upload.ts';

type Unsigned = Omit<UploadFile, 'receipt'>;

export interface NewUpload<File extends Unsigned = Received<Unsigned>> {
  readonly repository: Pick<Repository, 'metadata'>;
  /** The name of the Upload. The same one for the same files: then asking twice is asking once. */
  readonly name: string;
  /** Their blobs are in the depot, and durable. */
  readonly files: readonly File[];
  readonly suite?: string | undefined;
  readonly component?: string | undefined;
  /** The Source that they are of, and those in whose place they may come. */
  readonly source?: { readonly name: string; readonly takesOver: readonly string[] };
}

export interface NewRemoval extends Pick<NewUpload, 'repository' | 'name' | 'suite' | 'component'> {
  readonly remove: readonly Removal[];
  /** For those who only want something not to be there. */
  readonly ignoreMissing?: boolean | undefined;
}

const longestLabel = 63;

/** The value of the label that Uploads for a repository have. */
export function labelOf(repository: string): string {
  return repository.length <= longestLabel ? repository : hash('sha256', repository).slice(0, 60);
}

/** What to create, to have files published. */
export function uploadManifest({ files, suite, component, source, ...about }: NewUpload): Manifest {
  const named = files.map(({ name, sha256, size, receipt }) => ({ name, sha256, size, receipt }));
  const owner = source && {
    sourceRef: { name: source.name },
    takesOver: [...source.takesOver],
  };
  return manifestOf(about, { files: named, ...placeOf({ suite, component }), ...owner });
}

/** What to create, to have packages taken out. */
export function removalManifest({ remove, ignoreMissing, ...about }: NewRemoval): Manifest {
  return manifestOf(about, {
    remove: remove.map((one) => ({ ...one })),
    ...(ignoreMissing === undefined ? {} : { ignoreMissing }),
    ...placeOf(about),
  });
}

function placeOf({ suite, component }: Pick<NewRemoval, 'suite' | 'component'>) {
  return {
    ...(suite === undefined ? {} : { suite }),
    ...(component === undefined ? {} : { component }),
  };
}

function manifestOf({ repository, name }: Pick<NewUpload, 'repository' | 'name'>, spec: object) {
  const { name: owner, namespace, uid } = repository.metadata;
  const metadata = {
    name,
    namespace,
    labels: { [waitsForLabel]: labelOf(owner) },
    // It goes with its repository.
    ownerReferences: [{ apiVersion, kind: RepositoryKind.kind, name: owner, uid }],
  };
  const { kind } = UploadKind;
  return { apiVersion, kind, metadata, spec: { repositoryRef: { name: owner }, ...spec } };
}

/**
 * Has files of the depot published that Cairn has made itself: makes the Upload, or finds the one
 * that was made before under this name. Its status tells what becomes of it. Called again after a
 * crash, it does nothing twice.
 */
export async function requestUpload(
  store: UploadStore,
  upload: NewUpload<Unsigned>,
  receipts: Receipts,
): Promise<Upload> {
  const { namespace, name: repository } = upload.repository.metadata;
  const files = upload.files.map(async (file) => {
    const receipt = await receipts.give({ namespace, repository, sha256: file.sha256 });
    return { ...file, receipt };
  });
  return ensure(store, uploadManifest({ ...upload, files: await Promise.all(files) }));
}

/**
 * Has packages taken out of a Repository: makes the Upload, or finds the one that was made before
 * under this name. As with `requestUpload`, its status tells what becomes of it. An Upload goes some
 * time after it was dealt with; who may ask once more after that wants `ignoreMissing`.
 */
export async function requestRemoval(store: UploadStore, removal: NewRemoval): Promise<Upload> {
  return ensure(store, removalManifest(removal));
}

type UploadStore = StoreReader & Pick<StoreWriter, 'create'>;

async function ensure(store: UploadStore, manifest: Manifest): Promise<Upload> {
  try {
    return (await store.create(manifest)) as Upload; // the store validated it as such
  } catch (error) {
    if (!(error instanceof StoreError) || error.reason !== 'AlreadyExists') throw error;
    const { name, namespace = '' } = manifest.metadata;
    const found = await store.get({ kind: UploadKind.kind, namespace, name });
    if (!found) throw error;
    return found as Upload;
  }
}
