import type { Build } from '../../crds/build.ts';
import { buildPath } from '../../crds/build.ts';
import { conditionOf } from '../../crds/object.ts';
import type { Repository } from '../../crds/repository.ts';
import { StoreError } from '../../crds/store.ts';
import { timestamp } from '../../crds/timestamp.ts';
import { UploadKind } from '../../crds/upload.ts';
import { suiteFor } from '../archives/own-suite.ts';
import type { Report, RunContext } from '../reconciler.ts';
import { attest, type AttestDeps } from './attest.ts';
import type { BuildOutcome, RunPlan } from './files.ts';
import { repositoryOf } from './prepare.ts';
import { finish, reportOf, type Kept, type Status } from './report.ts';
import { publishable } from './request.ts';
import { uploadOf, type UploadDeps } from './upload.ts';

export interface PublishDeps extends AttestDeps, UploadDeps {
  readonly store: UploadDeps['store'];
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
  const { namespace } = build.metadata;
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
  const upload = await uploadOf(build, repository, files, deps);
  if (upload instanceof StoreError) {
    return finish(build, { ...status, message: upload.message }, 'FailedToUpload', context);
  }
  const { result, message = '', heldBy } = upload.status;
  if (result === 'Refused') {
    const isHeld = heldBy !== undefined && !upload.spec.takesOver?.includes(heldBy);
    const told = { ...status, message, ...(isHeld ? { heldBy } : {}) };
    return finish(build, told, 'FailedToUpload', context);
  }
  if (result !== 'Published') {
    const key = { kind: UploadKind.kind, namespace, name: upload.metadata.name };
    const waitsFor = conditionOf(upload, 'Ready')?.message ?? '';
    return { ...reportOf(status, build, waitsFor), dependsOn: [key] };
  }
  const base = deps.baseUrl();
  const builder = { id: builderId(base), version: deps.version };
  const facts = { build, plan, outcome, published: files, builder };
  const provenance = await attest(facts, repository, deps);
  const url = base === undefined ? {} : { provenanceUrl: provenanceUrl(base, build) };
  const told = hiddenBy(build, await repositoryOf(build, deps));
  const hidden = told === '' ? {} : { message: told };
  return finish(build, { ...status, ...url, ...hidden, provenance }, 'Succeeded', context);
}

/** That apt takes others' packages instead; empty where it does not. */
function hiddenBy({ spec }: Build, repository: Repository): string {
  const suite = suiteFor(spec.repositoryRef, repository);
  const hidden = (repository.status.state?.hidden ?? []).filter(
    (one) => one.suite === suite && one.source === spec.sourceRef.name,
  );
  if (hidden.length === 0) return '';
  const named = hidden.slice(0, mostHidden).map(({ package: name, by }) => `${name} ${by}`);
  const more = hidden.length > mostHidden ? ` and ${hidden.length - mostHidden} more` : '';
  return `apt takes ${named.join(', ')}${more} instead, which this Source has not published`;
}

const mostHidden = 10;

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
