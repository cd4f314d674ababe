import type { Request } from 'express';
import { BuildKind, type Build } from '../../crds/build.ts';
import { RepositoryKind, type Repository } from '../../crds/repository.ts';
import type { StoreReader } from '../../crds/store.ts';
import { ApiFailure } from './api/status.ts';
import { isLocal, type WriteRules } from './api/write-rules.ts';

export interface BuildAccess {
  readonly store: Pick<StoreReader, 'get'>;
  readonly rules: WriteRules;
  /** Whether the request has what shows that another replica has looked at the rights of its client. */
  readonly isVouchedFor?: ((req: Request, build: Build) => Promise<boolean>) | undefined;
}

export interface ReadableBuild {
  readonly build: Build;
  /** Whether everybody may read what its Repository has. */
  readonly isPublic: boolean;
}

/**
 * The Build that is asked for. What it made and said is for those who may read its Repository: for everybody when that is
 * public, else for holders of any token, and for everybody where nobody else can reach the server.
 * Throws 401 and 404; without the right to read, whether the Build exists or not is not told.
 */
export async function readableBuild(
  req: Request,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { store, rules, isVouchedFor }: BuildAccess,
): Promise<ReadableBuild> {
  const build = (await store.get({ kind: BuildKind.kind, namespace, name })) as Build | undefined;
  const isPublic = build !== undefined && (await isOfPublic(build, store));
  const mayRead = rules.access.mayRead(req.headers.authorization) || isLocal(req, rules);
  if (!isPublic && !mayRead && !(build && (await isVouchedFor?.(req, build)))) {
    const message = 'logs and artifacts need the read token, unless the Repository is public';
    throw new ApiFailure(401, message);
  }
  if (!build) throw new ApiFailure(404, `there is no Build ${name}`);
  return { build, isPublic };
}

async function isOfPublic(
  { metadata: { namespace }, spec }: Build,
  store: BuildAccess['store'],
): Promise<boolean> {
  const { name } = spec.repositoryRef;
  const found = await store.get({ kind: RepositoryKind.kind, namespace, name });
  return (found as Repository | undefined)?.spec.public === true;
}
