import type { Build } from '../../crds/build.ts';
import { buildPath } from '../../crds/build.ts';
import { conditionOf } from '../../crds/object.ts';
import type { Repository } from '../../crds/repository.ts';
import { StoreError, type StoreReader, type StoreWriter } from '../../crds/store.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { UploadKind, type Upload, type UploadFile } from '../../crds/upload.ts';
import type { Report, RunContext } from '../reconciler.ts';
import { attest, type AttestDeps } from './attest.ts';
import type { BuildOutcome, RunPlan } from './files.ts';
import { repositoryOf } from './prepare.ts';
import { finish, reportOf, type Kept, type Status } from './report.ts';
import { publishable } from './request.ts';

/** How files that a build has made are published: see `repository/upload-manifest.ts`. */
export type PublishFiles = (
  store: StoreReader & Pick<StoreWriter, 'create'>,
  upload: {
    readonly repository: Pick<Repository, 'metadata'>;
    readonly name: string;
    readonly files: readonly UploadFile[];
    readonly suite?: string | undefined;
    readonly component?: string | undefined;
  },
) => Promise<Upload>;

export interface PublishDeps extends AttestDeps {
  readonly store: StoreReader & Pick<StoreWriter, 'create'>;
  readonly publish: PublishFiles;
  /** How clients reach this server, without a slash at the end; undefined while nobody knows. */
  readonly baseUrl: () => string | undefined;
  /** Of Cairn itself. */
  readonly version: string;
}

/** A Build that has made something. */
export interface Built {
  readonly build: Build;
  readonly plan: RunPlan;
  readonly outcome: BuildOutcome;
  /** What is known of it by now. */
  readonly status: Kept;
}

/** Has what was built published, once; then says, signed, where it comes from. */
export async function publishBuilt(
  { build, plan, outcome, status: known }: Built,
  deps: PublishDeps,
  context: RunContext,
): Promise<Report<Status>> {
  const { metadata, spec } = build;
  const { artifacts = [] } = outcome;
  const buildinfo = artifacts.find(({ name }) => isBuildinfo(name))?.name;
  const status: Kept = {
    ...known,
    phase: 'Publishing',
    publishingAt: build.status.publishingAt ?? timestamp(context.now()),
    artifacts: artifacts.map(({ name, sha256, size }) => ({ name, sha256, size })),
    ...(buildinfo === undefined ? {} : { buildinfo }),
  };
  const files = publishable(artifacts);
  if (!files.some(({ name }) => name.endsWith('.deb'))) {
    const message = 'it has made no package';
    return finish(build, { ...status, message }, 'FailedToBuild', context);
  }
  const repository = await repositoryOf(build, deps);
  const { suite, component } = spec.repositoryRef;
  const name = `build-${metadata.uid}`;
  const upload = await uploaded({ repository, name, files, suite, component }, deps);
  if (upload instanceof StoreError) {
    return finish(build, { ...status, message: upload.message }, 'FailedToUpload', context);
  }
  const { result, message = '' } = upload.status;
  if (result === 'Refused') {
    return finish(build, { ...status, message }, 'FailedToUpload', context);
  }
  if (result !== 'Published') {
    const key = { kind: UploadKind.kind, namespace: metadata.namespace, name };
    const waitsFor = conditionOf(upload, 'Ready')?.message ?? '';
    return { ...reportOf(status, build, waitsFor), dependsOn: [key] };
  }
  const base = deps.baseUrl();
  const builder = { id: builderId(base), version: deps.version };
  const facts = { build, plan, outcome, published: files, builder };
  const provenance = await attest(facts, repository, deps);
  const url = base === undefined ? {} : { provenanceUrl: provenanceUrl(base, build) };
  return finish(build, { ...status, ...url, provenance }, 'Succeeded', context);
}

/** The Upload; or why there can be none, such as one of too many files. */
async function uploaded(
  wanted: Parameters<PublishFiles>[1],
  { publish, store }: PublishDeps,
): Promise<Upload | StoreError> {
  try {
    return await publish(store, wanted);
  } catch (error) {
    if (!(error instanceof StoreError) || error.reason !== 'Invalid') throw error;
    return error;
  }
}

/** That of the packages; the source package has one of its own. */
function isBuildinfo(name: string): boolean {
  return name.endsWith('.buildinfo') && !name.endsWith('_source.buildinfo');
}

function builderId(base: string | undefined): string {
  return base === undefined ? 'https://cairn.build/builder' : `${base}/builds`;
}

function provenanceUrl(base: string, build: Build): string {
  return `${base}/${buildPath(build)}/provenance.json`;
}
