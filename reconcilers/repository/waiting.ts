import type { UploadResult } from '../../crds/repository.ts';
import type { Upload } from '../../crds/upload.ts';

/** So much comes in at once: what became of it has to fit into a status. */
const mostUploads = 25;
const mostFiles = 1000;
const mostUntold = 50;

/**
 * Which Uploads of a repository are to be published, the oldest first, and which results are still
 * to be told: an Upload that has its own needs no other, nor does one that is gone.
 */
export function waiting(
  repository: string,
  uploads: readonly Upload[],
  results: readonly UploadResult[] = [],
): { readonly pending: readonly Upload[]; readonly untold: UploadResult[] } {
  const open = uploads.filter(
    ({ spec, status, metadata }) =>
      spec.repositoryRef.name === repository &&
      status.result === undefined &&
      metadata.deletionTimestamp === undefined,
  );
  const waitingUids = new Set(open.map(({ metadata }) => metadata.uid));
  const dealt = new Set(results.map(({ uid }) => uid));
  const pending = open.filter(({ metadata }) => !dealt.has(metadata.uid)).sort(byAge);
  return { pending, untold: results.filter(({ uid }) => waitingUids.has(uid)) };
}

/** Those of the pending that come in now: whole Uploads, at least one unless too much is untold. */
export function atOnce(pending: readonly Upload[], untold: number): readonly Upload[] {
  const chosen: Upload[] = [];
  let files = 0;
  for (const upload of pending.slice(0, Math.min(mostUploads, mostUntold - untold))) {
    files += upload.spec.files.length + upload.spec.remove.length;
    if (chosen.length > 0 && files > mostFiles) break;
    chosen.push(upload);
  }
  return chosen;
}

function byAge({ metadata: a }: Upload, { metadata: b }: Upload): number {
  return (
    Date.parse(a.creationTimestamp) - Date.parse(b.creationTimestamp) || (a.name < b.name ? -1 : 1)
  );
}
