import { defaultLimits, type RunLimits } from '../../builders/docker/request.ts';
import type { Artifact } from '../../builders/results.ts';
import type { Build } from '../../crds/build.ts';
import { durationMs } from '../../crds/duration.ts';
import type { UploadFile } from '../../crds/upload.ts';
import { packagingScripts } from '../../packaging/script.ts';
import type { PackagingPlan } from '../../packaging/request.ts';

/** The source package first, then the packages from what was unpacked from it; results are left above the tree. */
const both = 'sh -eu -c "$1" && mkdir ../cairn-work && cd ../cairn-work && exec sh -eu -c "$2"';

/** What a container runs, in the packaged tree. */
export function commandOf(plan: PackagingPlan): readonly string[] {
  const { source, binary } = packagingScripts(plan);
  return ['sh', '-eu', '-c', both, 'cairn-build', source, binary];
}

const mebibyte = 2 ** 20;

export function limitsOf({ spec }: Pick<Build, 'spec'>): RunLimits {
  const { limits, timeout } = spec.build;
  return {
    ...defaultLimits,
    cpus: limits.cpus,
    memoryBytes: limits.memoryMiB * mebibyte,
    diskBytes: limits.diskMiB * mebibyte,
    processes: limits.processes,
    seconds: Math.max(Math.ceil(durationMs(timeout) / 1000), 1),
  };
}

/** Those of a build's files that a repository takes. */
export function publishable(artifacts: readonly Artifact[]): readonly UploadFile[] {
  return artifacts
    .filter(({ name }) =>
      /\.(deb|dsc)$|\.tar\.(gz|xz|bz2|lzma|zst)(\.asc)?$|\.diff\.gz$/.test(name),
    )
    .map(({ name, sha256, size }) => ({ name, sha256, size }));
}
