import type { Artifact } from '../../builders/results.ts';
import type { Build } from '../../crds/build.ts';
import type { UploadFile } from '../../crds/upload.ts';
import { redact } from '../redact.ts';
import type { BuildOutcome, RunPlan } from './files.ts';

/** What the packages of a Build were made of and by whom. */
export interface Facts {
  readonly build: Pick<Build, 'metadata' | 'spec'>;
  readonly plan: RunPlan;
  readonly outcome: BuildOutcome;
  /** The files that were published. */
  readonly published: readonly UploadFile[];
  readonly builder: { readonly id: string; readonly version: string };
}

/** Documented in docs/provenance.md. */
const buildType = 'https://cairn.build/provenance/debian-package/v1';

/**
 * An in-toto Statement v1 with SLSA provenance v1 (slsa.dev/spec/v1.0/provenance). The same facts give
 * the same bytes.
 */
export function statementOf({ build, plan, outcome, published, builder }: Facts): string {
  return JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: published
      .map(({ name, sha256 }) => ({ name, digest: { sha256 } }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: externalParameters(build),
        internalParameters: internalParameters(build, plan),
        resolvedDependencies: resolvedDependencies(build, plan),
      },
      runDetails: {
        builder: { id: builder.id, version: { cairn: builder.version } },
        metadata: {
          invocationId: build.metadata.uid,
          startedOn: plan.buildingAt,
          finishedOn: outcome.finishedAt,
        },
        byproducts: byproducts(outcome),
      },
    },
  });
}

/** What people asked for; all of it is in the Source. */
function externalParameters({ metadata, spec }: Facts['build']) {
  const { url, ref, commit, path, submodules, sourceRef, repositoryRef, build } = spec;
  return {
    source: { repository: withoutPassword(url), ref, commit, path, submodules },
    sourceRef: { namespace: metadata.namespace, name: sourceRef.name },
    repositoryRef: {
      namespace: metadata.namespace,
      name: repositoryRef.name,
      suite: repositoryRef.suite,
      component: repositoryRef.component,
    },
    base: build.base,
    architecture: build.architecture,
    network: build.network,
  };
}

/** What Cairn added to that. */
function internalParameters({ spec }: Facts['build'], plan: RunPlan) {
  return {
    sourcePackage: plan.sourceName,
    version: plan.version,
    packaging: plan.kind,
    counter: spec.counter,
    attempt: spec.attempt,
    maintainer: spec.maintainer,
    sourceDateEpoch: plan.epoch,
    image: plan.prepared.image,
    limits: plan.limits,
  };
}

function resolvedDependencies({ spec }: Facts['build'], { prepared }: RunPlan) {
  return [
    {
      name: 'source',
      uri: `${gitUri(withoutPassword(spec.url))}@${spec.ref}`,
      digest: { gitCommit: spec.commit },
    },
    { name: 'base', ...imageUri(spec.build.base.image), digest: digestOf(prepared.base) },
    ...prepared.archives.map(({ uri, suite, digest }) => ({
      name: 'archive',
      uri: releaseUri(uri, suite),
      digest: digestOf(digest),
    })),
  ];
}

/** Sources have none in their URLs; what is signed and shown to all makes sure. The user of ssh is part of the address. */
function withoutPassword(url: string): string {
  return /^ssh:\/\/[^\s:/@]+@[^\s@]*$/i.test(url) ? url : redact(url);
}

/** As SPDX writes where something can be downloaded from: `git+https://…`. */
function gitUri(url: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) return `git+${url}`;
  const [, host, path] = /^([^/:]+):(.*)$/.exec(url) ?? [];
  return host === undefined ? `git+file://${url}` : `git+ssh://${host}/${path ?? ''}`;
}

function imageUri(name: string | undefined) {
  return name === undefined ? {} : { uri: `docker-image:${name}` };
}

/** A suite that ends in a slash is that of an archive without `dists/`. */
function releaseUri(uri: string, suite: string): string {
  const base = redact(uri).replace(/\/+$/, '');
  return suite.endsWith('/') ? `${base}/${suite}InRelease` : `${base}/dists/${suite}/InRelease`;
}

/** Ours are `sha256:…` where the engine names something. */
function digestOf(digest: string) {
  return { sha256: digest.replace(/^sha256:/, '') };
}

function byproducts({ log, artifacts = [] }: BuildOutcome) {
  const others = artifacts.filter(({ name }) => /\.(buildinfo|changes)$/.test(name));
  return [
    { name: 'log', digest: { sha256: log.sha256 } },
    ...others.map(({ name, sha256 }: Artifact) => ({ name, digest: { sha256 } })),
  ];
}
