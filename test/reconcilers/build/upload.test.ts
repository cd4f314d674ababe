/** How what a Build has made gets into its Repository where other Sources publish, too. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import type { Build } from '../../../crds/build.ts';
import { kinds } from '../../../crds/index.ts';
import { apiVersion } from '../../../crds/object.ts';
import { RepositoryKind, type Repository } from '../../../crds/repository.ts';
import { SourceKind } from '../../../crds/source.ts';
import { StoreError } from '../../../crds/store.ts';
import { UploadKind, type Upload } from '../../../crds/upload.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { uploadOf, type PublishFiles } from '../../../reconcilers/build/upload.ts';
import { requestUpload } from '../../../reconcilers/repository/upload-manifest.ts';
import { Receipts } from '../../../reconcilers/repository/receipts.ts';
import type { Scope } from '../../world/temp.ts';

const namespace = 'default';
const file = { name: 'hello_2.0_all.deb', sha256: 'a'.repeat(64), size: 1 };

async function buildWorld(t: Scope) {
  const store = openSqliteStore(':memory:', { kinds, validate: validateManifest });
  t.after(() => store.close());
  const declare = (kind: string, name: string, spec: object) =>
    store.create({ apiVersion, kind, metadata: { name, namespace }, spec });
  const suites = [{ name: 'stable', codename: 'trixie' }, { name: 'next' }];
  const repository = await declare(RepositoryKind.kind, 'tools', { suites });
  const build = {
    metadata: { name: 'bob-1', namespace, uid: 'u' },
    spec: { sourceRef: { name: 'bob' }, repositoryRef: { name: 'tools' } },
  } as Build; // as much of it as is looked at
  const receipts = new Receipts({ ownSecret: async () => 'secret' });
  return {
    store,
    /** A Source that publishes there. */
    source: (name: string, repositoryRef: object) =>
      declare(SourceKind.kind, name, {
        ...{ url: 'https://git.example.org/hello.git', repositoryRef },
        build: { base: { image: 'debian:trixie' } },
      }),
    async upload(): Promise<Upload> {
      const publish: PublishFiles = (to, one) => requestUpload(to, one, receipts);
      const deps = { store, publish };
      const found = await uploadOf(build, repository as Repository, [file], deps);
      assert.ok(!(found instanceof StoreError));
      return found;
    },
    /** As its Repository would, and then the Upload itself. */
    async refuse(upload: Upload, heldBy: string): Promise<void> {
      const key = { kind: UploadKind.kind, namespace, name: upload.metadata.name };
      const object = await store.get(key);
      assert.ok(object);
      const status = { result: 'Refused', reason: 'PackageConflict', heldBy, message: 'no' };
      await store.updateStatus({ ...object, status: { ...object.status, ...status } });
    },
  };
}

describe('what a Build has made', () => {
  it('is refused while the other Source publishes into that suite', async (t) => {
    const world = await buildWorld(t);
    await world.source('ada', { name: 'tools', suite: 'trixie' });
    const first = await world.upload();
    assert.deepEqual([first.spec.sourceRef, first.spec.takesOver], [{ name: 'bob' }, []]);
    await world.refuse(first, 'ada');
    const told = await world.upload();

    assert.equal(told.metadata.uid, first.metadata.uid);
    assert.equal(told.status.result, 'Refused');
  });

  it('takes the place of Sources that are gone, or publish elsewhere, one after the other', async (t) => {
    const world = await buildWorld(t);
    await world.source('ada', { name: 'tools', suite: 'next' });
    await world.source('cleo', { name: 'other' });
    for (const [at, holder] of ['ada', 'gone', 'cleo'].entries()) {
      const upload = await world.upload();
      assert.equal(upload.status.result, undefined);
      assert.equal(upload.spec.takesOver?.length, at);
      await world.refuse(upload, holder);
    }
    const last = await world.upload();

    assert.deepEqual(last.spec.takesOver, ['ada', 'gone', 'cleo']);
    assert.equal((await world.upload()).metadata.uid, last.metadata.uid);
    await world.refuse(last, 'gone');
    assert.equal((await world.upload()).status.result, 'Refused');
    assert.equal((await world.store.list(UploadKind.kind)).items.length, 4);
  });
});
