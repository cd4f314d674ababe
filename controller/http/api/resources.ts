import type { Request, Response } from 'express';
import { kinds } from '../../../crds/index.ts';
import type { Kind } from '../../../crds/kind.ts';
import { apiVersion, group, type KubeObject } from '../../../crds/object.ts';
import { StoreError, type Store } from '../../../crds/store.ts';
import { keyOfTarget, type Target } from './objects.ts';
import { pageOf } from './paging.ts';
import { Representation } from './representation.ts';
import { isSelected, selectionOf } from './selectors.ts';
import { ApiFailure } from './status.ts';
import { columnsOf } from './table.ts';
import { checkListVersion } from './versions.ts';

/** The collection that a URL names: a kind, maybe in one namespace. Throws 404. */
export function scopeOf(req: Request): Pick<Target, 'kind'> & { namespace: string | undefined } {
  const { plural, namespace } = req.params;
  const kind = kinds.find((known) => known.plural === plural);
  if (!kind) throw new ApiFailure(404, `there are no ${String(plural)} in ${apiVersion}`);
  return { kind, namespace: typeof namespace === 'string' ? namespace : undefined };
}

export function targetOf(req: Request): Target {
  const { kind, namespace = 'default' } = scopeOf(req);
  return { kind, namespace, name: String(req.params['name']) };
}

/** The object that a URL names. Throws NotFound. */
export async function storedObject(store: Pick<Store, 'get'>, target: Target): Promise<KubeObject> {
  const { kind, name } = target;
  const stored = await store.get(keyOfTarget(target));
  if (stored) return stored;
  throw new StoreError('NotFound', `${kind.plural}.${group} "${name}" not found`);
}

/** The verbs that read. Each answers with JSON, or throws what `asApiFailure` understands. */
export class Resources {
  readonly #store: Store;
  readonly #now: () => Date;

  constructor(store: Store, now: () => Date) {
    this.#store = store;
    this.#now = now;
  }

  async list(req: Request, res: Response): Promise<void> {
    const { kind, namespace } = scopeOf(req);
    const form = this.#form(req, kind);
    const selection = selectionOf(req, namespace);
    const within = namespace === undefined ? {} : { namespace };
    const { items, resourceVersion } = await this.#store.list(kind.kind, within);
    checkListVersion(req, resourceVersion);
    const counted = selection.labels.length + selection.fields.length === 0;
    const selected = items.filter((item) => isSelected(item, selection));
    const page = pageOf(req, selected, { resourceVersion, counted });
    res.json(form.list({ apiVersion, kind: `${kind.kind}List`, ...page }));
  }

  async get(req: Request, res: Response): Promise<void> {
    const target = targetOf(req);
    const form = this.#form(req, target.kind);
    res.json(form.one(await storedObject(this.#store, target)));
  }

  /** How this client wants to have objects of a kind. */
  #form(req: Request, kind: Kind): Representation {
    return new Representation(req, columnsOf(kind.kind), this.#now);
  }
}
