import { hash } from 'node:crypto';
import type { Build } from '../../crds/build.ts';
import type { Repository } from '../../crds/repository.ts';
import { StoreError, type StoreReader, type StoreWriter } from '../../crds/store.ts';
import type { Upload, UploadFile } from '../../crds/upload.ts';
import { publishesInto } from '../archives/publishers.ts';

/** How files that a build has made are published: see `repository/upload-manifest.ts`. */
export type PublishFiles = (
  store: StoreReader & Pick<StoreWriter, 'create'>,
  upload: {
    readonly repository: Pick<Repository, 'metadata'>;
    readonly name: string;
    readonly files: readonly UploadFile[];
    readonly suite?: string | undefined;
    readonly component?: string | undefined;
    readonly source: { readonly name: string; readonly takesOver: readonly string[] };
  },
) => Promise<Upload>;

export interface UploadDeps {
  readonly store: StoreReader & Pick<StoreWriter, 'create'>;
  readonly publish: PublishFiles;
}

/** One package was another Source's once, and more than these are not asked about. */
const mostTakenOver = 16;

/**
 * The Upload of what a Build has made; or why there can be none, such as one of too many files. When it is refused since
 * a Source that is gone has published such packages, another one takes them over, by a name of its own: the same
 * ones are found again, however often this is called.
 */
export async function uploadOf(
  build: Build,
  repository: Repository,
  files: readonly UploadFile[],
  deps: UploadDeps,
): Promise<Upload | StoreError> {
  const { metadata, spec } = build;
  const { suite, component } = spec.repositoryRef;
  const takesOver: string[] = [];
  for (;;) {
    const source = { name: spec.sourceRef.name, takesOver: [...takesOver] };
    const name = nameOf(metadata.uid, takesOver);
    const upload = await made({ repository, name, files, suite, component, source }, deps);
    if (upload instanceof StoreError) return upload;
    const { result, heldBy } = upload.status;
    const isHeld = result === 'Refused' && heldBy !== undefined;
    if (!isHeld || takesOver.includes(heldBy) || takesOver.length >= mostTakenOver) return upload;
    if (await publishesInto(spec.repositoryRef, heldBy, repository, deps.store)) return upload;
    takesOver.push(heldBy);
  }
}

function nameOf(uid: string, takesOver: readonly string[]): string {
  if (takesOver.length === 0) return `build-${uid}`;
  return `build-${uid}-${hash('sha256', JSON.stringify(takesOver)).slice(0, 12)}`;
}

async function made(
  wanted: Parameters<PublishFiles>[1],
  { publish, store }: UploadDeps,
): Promise<Upload | StoreError> {
  try {
    return await publish(store, wanted);
  } catch (error) {
    if (!(error instanceof StoreError) || error.reason !== 'Invalid') throw error;
    return error;
  }
}
