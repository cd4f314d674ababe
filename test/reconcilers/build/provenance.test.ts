/** What a Build says of its packages, and whether other tools can check it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { publicKeys } from '../../../apt/openpgp.ts';
import { BuildKind, type Build } from '../../../crds/build.ts';
import { RepositoryKind, type Repository } from '../../../crds/repository.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { attest } from '../../../reconcilers/build/attest.ts';
import type { BuildOutcome, RunPlan } from '../../../reconcilers/build/files.ts';
import { statementOf, type Facts } from '../../../reconcilers/build/statement.ts';
import { preAuthEncoding } from '../../../reconcilers/signing/envelope.ts';
import { KeyFolder } from '../../../reconcilers/signing/key-store.ts';
import { signersOf } from '../../../reconcilers/signing/signers.ts';
import { defaultLimits } from '../../../builders/docker/request.ts';
import { mustRun, run } from '../../world/process.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

const digest = (letter: string) => letter.repeat(64);
const commit = 'c'.repeat(40);

function objectOf(kind: string, name: string, spec: object) {
  const { manifest, problems } = validateManifest({
    apiVersion: 'cairn.build/v1alpha1',
    kind,
    metadata: { name, namespace: 'default' },
    spec,
  });
  assert.deepEqual(problems, []);
  return { ...manifest, status: {} };
}

function buildFor(url: string): Build {
  const build = objectOf(BuildKind.kind, 'hello-1', {
    ...{ sourceRef: { name: 'hello' }, url, commit, ref: 'refs/heads/main', path: 'deb' },
    ...{ maintainer: 'A <a@example.com>', attempt: 1, counter: 7 },
    repositoryRef: { name: 'tools', suite: 'stable' },
    build: { base: { snapshotRef: { name: 'base-1' } } },
  }) as unknown as Build;
  return { ...build, metadata: { ...build.metadata, uid: 'the-uid' } };
}

const plan: RunPlan = {
  ...{ kind: 'Debian', sourceName: 'hello', version: '1.0+7', command: ['sh'], epoch: 1 },
  limits: defaultLimits,
  prepared: {
    ...{ image: `sha256:${digest('1')}`, base: `sha256:${digest('2')}` },
    archives: [
      { uri: 'http://a.example/debian', suite: 'bookworm', digest: digest('3') },
      { uri: 'http://b.example/flat/', suite: './', digest: digest('4') },
    ],
  },
  ...{ logStart: 0, preparingAt: '2026-11-01T00:00:00Z', buildingAt: '2026-11-01T00:00:05Z' },
};

const artifacts = [
  { name: 'hello_1.0+7_all.deb', sha256: digest('a'), size: 1 },
  { name: 'hello_1.0+7.dsc', sha256: digest('b'), size: 1 },
  { name: 'hello_1.0+7_amd64.buildinfo', sha256: digest('d'), size: 1 },
];

const outcome: BuildOutcome = {
  ...{ result: 'Built', message: '', artifacts, finishedAt: '2026-11-01T00:01:00Z' },
  log: { sha256: digest('e'), size: 9 },
};

const published = artifacts.slice(0, 2);
const builder = { id: 'https://apt.example.com/builds', version: '0.1.0' };
const factsFor = (url: string): Facts => ({
  ...{ build: buildFor(url), plan, outcome, published, builder },
});
const facts = factsFor('https://git.example.org/hello.git');

async function world(t: Scope) {
  const blobs = await openBlobs(tempDir(t));
  const keyStore = new KeyFolder(tempDir(t));
  const repository = objectOf(RepositoryKind.kind, 'tools', {}) as unknown as Repository;
  const deps = { blobs, keyStore, secrets: async () => undefined, now: () => new Date() };
  return { blobs, keyStore, repository, deps };
}

describe('provenance', () => {
  it('names every file that was published, and all that it was made of', () => {
    const { subject, predicate, ...types } = JSON.parse(statementOf(facts));

    assert.deepEqual(types, {
      _type: 'https://in-toto.io/Statement/v1',
      predicateType: 'https://slsa.dev/provenance/v1',
    });
    assert.deepEqual(subject, [
      { name: 'hello_1.0+7.dsc', digest: { sha256: digest('b') } },
      { name: 'hello_1.0+7_all.deb', digest: { sha256: digest('a') } },
    ]);
    const { resolvedDependencies, externalParameters } = predicate.buildDefinition;
    assert.deepEqual(resolvedDependencies, [
      {
        name: 'source',
        uri: 'git+https://git.example.org/hello.git@refs/heads/main',
        digest: { gitCommit: commit },
      },
      { name: 'base', digest: { sha256: digest('2') } },
      {
        name: 'archive',
        uri: 'http://a.example/debian/dists/bookworm/InRelease',
        digest: { sha256: digest('3') },
      },
      {
        name: 'archive',
        uri: 'http://b.example/flat/./InRelease',
        digest: { sha256: digest('4') },
      },
    ]);
    assert.equal(externalParameters.source.path, 'deb');
    assert.deepEqual(externalParameters.base, { snapshotRef: { name: 'base-1' } });
    assert.deepEqual(predicate.runDetails, {
      builder: { id: builder.id, version: { cairn: '0.1.0' } },
      metadata: {
        invocationId: 'the-uid',
        startedOn: '2026-11-01T00:00:05Z',
        finishedOn: '2026-11-01T00:01:00Z',
      },
      byproducts: [
        { name: 'log', digest: { sha256: digest('e') } },
        { name: 'hello_1.0+7_amd64.buildinfo', digest: { sha256: digest('d') } },
      ],
    });
  });

  it('has no credentials, and names of ssh in the form of URIs', () => {
    const uri = (url: string) =>
      JSON.parse(statementOf(factsFor(url))).predicate.buildDefinition.resolvedDependencies[0].uri;

    assert.equal(
      uri('git@example.org:a/b.git'),
      'git+ssh://git@example.org/a/b.git@refs/heads/main',
    );
    assert.equal(uri('/srv/a.git'), 'git+file:///srv/a.git@refs/heads/main');
    for (const url of ['https://me:hunter2@example.org/a.git', 'ssh://me:hunter2@example.org/a']) {
      assert.doesNotMatch(statementOf(factsFor(url)), /hunter2/);
    }
  });

  it('is signed in an envelope, for gpgv, and is the same when it is made again', async (t) => {
    const { blobs, repository, deps } = await world(t);
    await deps.keyStore.obtain(
      { namespace: 'default', owner: 'repository', name: 'tools', epoch: 1 },
      new Date('2026-10-01T00:00:00Z'),
    );
    const made = await attest(facts, repository, deps);

    assert.deepEqual(await attest(facts, repository, deps), made);
    const folder = tempDir(t);
    const at = (name: string) => join(folder, name);
    const envelope = await blobs.bytes(made.sha256);
    writeFileSync(at('provenance.json'), envelope);
    writeFileSync(at('provenance.json.asc'), await blobs.bytes(made.signature));
    const { keys } = await signersOf({ ...repository, owner: 'repository' }, deps, deps.now());
    writeFileSync(at('key.asc'), publicKeys(keys));
    await mustRun('gpg', ['--homedir', folder, '--dearmor', '-o', at('key.gpg'), at('key.asc')]);
    const gpgv = (...files: readonly string[]) =>
      run('gpgv', ['--keyring', at('key.gpg'), ...files.map(at)]);

    assert.equal((await gpgv('provenance.json.asc', 'provenance.json')).code, 0);
    const { payloadType, payload, signatures } = JSON.parse(envelope.toString());
    assert.equal(payloadType, 'application/vnd.in-toto+json');
    assert.equal(Buffer.from(payload, 'base64').toString(), statementOf(facts));
    assert.deepEqual(
      signatures.map(({ keyid }: { keyid: string }) => keyid),
      made.signedBy,
    );
    writeFileSync(at('sig'), Buffer.from(signatures[0].sig, 'base64'));
    writeFileSync(at('pae'), preAuthEncoding(payloadType, Buffer.from(payload, 'base64')));
    assert.equal(
      readFileSync(at('pae'), 'utf8').slice(0, 40),
      `DSSEv1 28 application/vnd.in-toto+json ${statementOf(facts).length}`.slice(0, 40),
    );
    assert.equal((await gpgv('sig', 'pae')).code, 0);
    writeFileSync(at('pae'), preAuthEncoding('text/plain', Buffer.from(payload, 'base64')));
    assert.notEqual((await gpgv('sig', 'pae')).code, 0);
  });
});
