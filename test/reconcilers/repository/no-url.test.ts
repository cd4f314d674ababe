import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Repository } from '../../../crds/repository.ts';
import { repositoryReconciler } from '../../../reconcilers/repository/index.ts';
import { Receipts } from '../../../reconcilers/repository/receipts.ts';
import type { RunContext } from '../../../reconcilers/reconciler.ts';
import { KeyFolder } from '../../../reconcilers/signing/key-store.ts';
import { tempDir } from '../../world/temp.ts';
import { specOf } from './repository-world.ts';

it('a Repository looks for its URL only while there is one to come', async (t) => {
  const keyStore = new KeyFolder(tempDir(t));
  const againMs = async (isComing: boolean) => {
    const never = new Promise<never>(() => {});
    const reconciler = repositoryReconciler({
      ...{ keyStore, receipts: new Receipts(keyStore), secrets: async () => undefined },
      ...{ baseUrl: () => undefined, isUrlComing: () => isComing },
      publisher: { publish: () => never, makeSlowFiles: () => never },
    });
    const metadata = { name: 'tools', namespace: 'default', uid: String(isComing), generation: 1 };
    const repository = { metadata, spec: specOf({}), status: {} } as Repository;
    const context: RunContext = {
      store: { get: async () => undefined, list: async () => ({ items: [] }) } as never,
      ...{ now: () => new Date(), poke: () => {}, signal: new AbortController().signal },
    };
    return (await reconciler.reconcile(repository, context)).again?.ms;
  };

  assert.ok(((await againMs(true)) ?? Infinity) <= 1000);
  assert.ok(((await againMs(false)) ?? Infinity) > 60_000);
});
