import type { Request, Response } from 'express';
import { apiVersion } from '../../../crds/object.ts';
import { StoreError, type Store } from '../../../crds/store.ts';
import { deleteOptions } from './delete-options.ts';
import { keyOfTarget } from './objects.ts';
import { scopeOf, storedObject, targetOf } from './resources.ts';
import { isSelected, selectionOf } from './selectors.ts';
import { success } from './status.ts';

/** The verbs that delete. What has finalizers is answered as it is, what is gone with a Status. */
export class Deletions {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async remove(req: Request, res: Response): Promise<void> {
    const target = targetOf(req);
    const options = deleteOptions(req);
    const { metadata } = await storedObject(this.#store, target);
    await this.#store.delete(keyOfTarget(target), options);
    const left = await this.#store.get(keyOfTarget(target));
    const { name, kind } = target;
    if (left?.metadata.uid === metadata.uid && !options.dryRun) res.json(left);
    else res.json(success({ name, kind: kind.plural, uid: metadata.uid }));
  }

  async removeAll(req: Request, res: Response): Promise<void> {
    const store = this.#store;
    const { kind, namespace = 'default' } = scopeOf(req);
    const { dryRun, orphan } = deleteOptions(req);
    const selection = selectionOf(req, namespace);
    const { items, resourceVersion } = await store.list(kind.kind, { namespace });
    const selected = items.filter((item) => isSelected(item, selection));
    for (const { metadata } of selected) {
      const key = { kind: kind.kind, namespace, name: metadata.name };
      await store.delete(key, { uid: metadata.uid, dryRun, orphan }).catch(unlessGone);
    }
    const list = { apiVersion, kind: `${kind.kind}List`, metadata: { resourceVersion } };
    res.json({ ...list, items: selected });
  }
}

function unlessGone(failure: unknown): void {
  if (failure instanceof StoreError && failure.reason === 'NotFound') return;
  throw failure;
}
