import type { Repository } from '../../crds/repository.ts';
import { SourceKind, type Source } from '../../crds/source.ts';
import type { StoreReader } from '../../crds/store.ts';
import { suiteFor } from './own-suite.ts';

/** Whether a Source of this name is there, and publishes into the same suite of a Repository as others do. */
export async function publishesInto(
  target: Source['spec']['repositoryRef'],
  name: string,
  { metadata: { namespace }, spec }: Pick<Repository, 'metadata' | 'spec'>,
  store: Pick<StoreReader, 'get'>,
): Promise<boolean> {
  const found = await store.get({ kind: SourceKind.kind, namespace, name });
  if (!found || found.metadata.deletionTimestamp !== undefined) return false;
  const { repositoryRef } = (found as Source).spec; // the store validated it as such
  const [its, others] = [repositoryRef, target].map((ref) => suiteFor(ref, { spec }));
  return repositoryRef.name === target.name && its === others;
}
