import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import { kinds } from '../../../crds/index.ts';
import type { Repository } from '../../../crds/repository.ts';
import { UploadKind } from '../../../crds/upload.ts';
import { Receipts, receiptFor } from '../../../reconcilers/repository/receipts.ts';
import { requestRemoval, requestUpload } from '../../../reconcilers/repository/upload-manifest.ts';

const blob = { name: 'a.deb', sha256: '1'.repeat(64), size: 1 };

test('what Cairn itself asks for is asked once under a name, with receipts', async (t) => {
  const store = openSqliteStore(':memory:', { kinds });
  t.after(() => store.close());
  const manifest = {
    apiVersion: 'cairn.build/v1alpha1',
    kind: 'Repository',
    metadata: { name: 'tools' },
    spec: {},
  };
  const repository = (await store.create(manifest)) as Repository;
  const receipts = new Receipts({ ownSecret: async () => 'secret' });

  const upload = { repository, name: 'build-1', files: [blob] };
  const made = await requestUpload(store, upload, receipts);
  const removal = {
    repository,
    name: 'clean-1',
    remove: [{ source: 'hello' }],
    ignoreMissing: true,
  };
  const taken = await requestRemoval(store, removal);

  const of = { namespace: 'default', repository: 'tools', sha256: blob.sha256 };
  assert.deepEqual(made.spec.files, [{ ...blob, receipt: receiptFor(of, 'secret') }]);
  assert.deepEqual([taken.spec.remove, taken.spec.ignoreMissing], [removal.remove, true]);
  assert.deepEqual(await requestUpload(store, upload, receipts), made);
  assert.deepEqual(await requestRemoval(store, removal), taken);
  assert.equal((await store.list(UploadKind.kind)).items.length, 2);
});
