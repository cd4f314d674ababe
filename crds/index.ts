import { BuildKind } from './build.ts';
import { ConfigSourceKind } from './config-source.ts';
import { EnvironmentKind } from './environment.ts';
import type { Kind } from './kind.ts';
import { MirrorSetKind } from './mirror-set.ts';
import { MirrorKind } from './mirror.ts';
import { RepositoryKind } from './repository.ts';
import { SnapshotKind } from './snapshot.ts';
import { SourceKind } from './source.ts';
import { UploadKind } from './upload.ts';

/** Every kind, in the order in which people meet them. */
export const kinds: readonly Kind[] = [
  MirrorKind,
  MirrorSetKind,
  SnapshotKind,
  EnvironmentKind,
  RepositoryKind,
  SourceKind,
  BuildKind,
  UploadKind,
  ConfigSourceKind,
] as unknown as readonly Kind[]; // `check` narrows its argument to the kind's own spec

/** The kind of a name as people type it: `Mirror`, `mirrors`, `mirror`, `mir`. */
export function kindNamed(word: string): Kind | undefined {
  const wanted = word.toLowerCase();
  return kinds.find(
    ({ kind, plural, shortNames }) =>
      kind.toLowerCase() === wanted || plural === wanted || shortNames.includes(wanted),
  );
}
