import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Build } from '../../../crds/build.ts';
import type { Source } from '../../../crds/source.ts';
import { apiVersion, type Manifest } from '../../../crds/object.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { buildManifest, buildName, wantedBuild } from '../../../reconcilers/source/plan-build.ts';

const commit = 'a'.repeat(40);
const chosen = { ref: 'HEAD', commit };
const then = { now: new Date(), archivesChangedAt: 0, isLetGo: false };
const declared = { url: 'https://git.example.org/hello.git', submodules: true };
const source = {
  metadata: { name: 'hello', namespace: 'default', uid: 'u' },
  spec: declared,
} as Source; // as much of it as is looked at

function build(counter: number, result: string | undefined, of = commit, attempt = 1): Build {
  return {
    metadata: { uid: `build-${counter}` },
    spec: { ...declared, counter, commit: of, attempt },
    status: { result },
  } as Build; // as much of it as is looked at
}

describe('the Build of a commit', () => {
  it('has one name for one wish, and another one for another', () => {
    const name = buildName(source, commit, '');

    assert.equal(buildName(source, commit, ''), name);
    assert.notEqual(buildName(source, commit, 'again'), name);
    assert.notEqual(buildName(source, 'b'.repeat(40), ''), name);
    const again = { metadata: { ...source.metadata, uid: 'another' } };
    assert.notEqual(buildName(again, commit, ''), name);
    const long = { metadata: { ...source.metadata, name: 'x'.repeat(253) } };
    assert.ok(buildName(long, commit, '').length <= 253);
  });

  it('is made once, and once more for each time that somebody asks', () => {
    assert.deepEqual(wantedBuild(source, [], chosen, then), { wish: '', asked: '', attempt: 1 });
    const failed = build(1, 'FailedToBuild');
    assert.deepEqual(wantedBuild(source, [failed], chosen, then), { existing: failed });
    const other = build(1, 'Succeeded', 'b'.repeat(40));
    assert.deepEqual(wantedBuild(source, [other], chosen, then), {
      wish: '',
      asked: '',
      attempt: 1,
    });
    const asked = 'today';
    const annotated = {
      ...source,
      metadata: { ...source.metadata, annotations: { 'cairn.build/build': asked } },
    };
    assert.deepEqual(wantedBuild(annotated, [failed], chosen, then), {
      wish: asked,
      asked,
      attempt: 1,
    });
  });

  it('is made once more when the ref comes back to it', () => {
    const first = build(1, 'Succeeded');
    const other = build(2, undefined, 'b'.repeat(40));
    const again = { wish: '/back-after-build-2', asked: '', attempt: 1 };
    assert.deepEqual(wantedBuild(source, [first, other], chosen, then), again);
    const back = build(3, 'Succeeded');
    assert.deepEqual(wantedBuild(source, [first, other, back], chosen, then), { existing: back });
  });

  it('is made once more when its builder was lost, three times in all', () => {
    const first = build(1, 'BuilderLost');
    const again = { wish: '/after-build-1', asked: '', attempt: 2 };
    assert.deepEqual(wantedBuild(source, [first], chosen, then), again);
    const third = build(3, 'BuilderLost', commit, 3);
    assert.deepEqual(wantedBuild(source, [third], chosen, then), { existing: third });
  });

  it('is made once more, as often as at first, when one that failed is not what is declared now', () => {
    const waiting = build(20, 'DependencyWait', commit, 20);
    assert.deepEqual(wantedBuild(source, [waiting], chosen, then), { existing: waiting });
    const changed = { ...source, spec: { ...source.spec, submodules: false } };
    const again = { wish: '/after-build-20', asked: '', attempt: 1 };
    assert.deepEqual(wantedBuild(changed, [waiting], chosen, then), again);
    for (const result of ['FailedToBuild', 'FailedToUpload', 'BuilderLost']) {
      const failed = build(20, result, commit, 3);
      assert.deepEqual(wantedBuild(source, [failed], chosen, then), { existing: failed });
      assert.deepEqual(wantedBuild(changed, [failed], chosen, then), again);
    }
    for (const result of ['Succeeded', 'Cancelled', undefined]) {
      const other = build(20, result);
      assert.deepEqual(wantedBuild(changed, [other], chosen, then), { existing: other });
    }
  });

  it('is what its Source declares, whatever that is, so that it is not made without end', () => {
    const least = {
      url: 'git@git.example.org:hello.git',
      repositoryRef: { name: 'tools' },
      build: { base: { mirrorRef: { name: 'debian' } } },
    };
    const all = {
      ...{ url: 'https://git.example.org/hello.git', path: 'a/b', interval: '1m' },
      ...{ secretRef: { name: 'a' }, submodules: true, submoduleSecretRef: { name: 'b' } },
      ref: { semver: 'v1.*', prereleases: true },
      repositoryRef: { name: 'tools', suite: 'stable', component: 'main' },
      maintainer: 'A <a@example.org>',
      build: {
        base: { image: 'example.org/debian:trixie', secretRef: { name: 'c' } },
        ...{ architecture: 'arm64', network: 'Full', timeout: '90m', limits: { cpus: 1 } },
      },
    };
    for (const spec of [least, all]) {
      const stored = asStored({ apiVersion, kind: 'Source', metadata: { name: 'hello' }, spec });
      const object = { ...stored, metadata: source.metadata, status: {} } as Source; // as it was validated
      const more = { name: 'hello-1', counter: 1, attempt: 20, asked: '' };
      const { metadata, ...made } = buildManifest(object, chosen, more);
      const failed = {
        ...asStored({ ...made, metadata: { name: metadata.name } }),
        status: { result: 'FailedToBuild' },
      } as unknown as Build; // it was validated as well

      assert.deepEqual(wantedBuild(object, [failed], chosen, then), { existing: failed });
    }
  });
});

/** As a store keeps it. */
function asStored(given: unknown): Manifest {
  const { manifest, problems } = validateManifest(given, { allowInternal: true });
  assert.ok(manifest, JSON.stringify(problems));
  return manifest;
}
