import type { Request, Response } from 'express';
import { kinds } from '../../../crds/index.ts';
import type { Kind } from '../../../crds/kind.ts';
import { apiVersion, group, type KubeObject } from '../../../crds/object.ts';
import { StoreError, type Store } from '../../../crds/store.ts';
import { bodyObject, bodyType, isRecord } from './body.ts';
import {
  keyOfTarget,
  manifestOf,
  mergePatch,
  replaced,
  withStatus,
  type Target,
} from './objects.ts';
import { Representation } from './representation.ts';
import { isSelected, selectionOf } from './selectors.ts';
import { ApiFailure, success } from './status.ts';
import { columnsOf } from './table.ts';

/** How often a patch without a resourceVersion is tried again when somebody else was faster. */
const patchAttempts = 5;

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

/** The verbs on objects. Each answers with JSON, or throws what `asApiFailure` understands. */
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
    const { items, resourceVersion } = await this.#store.list(kind.kind, {
      ...(selection.namespace !== undefined && { namespace: selection.namespace }),
      labels: selection.labels,
    });
    const list = {
      apiVersion,
      kind: `${kind.kind}List`,
      metadata: { resourceVersion },
      items: items.filter((item) => isSelected(item, selection)),
    };
    res.json(form.list(list));
  }

  async get(req: Request, res: Response): Promise<void> {
    const target = targetOf(req);
    const form = this.#form(req, target.kind);
    res.json(form.one(await this.#stored(target)));
  }

  async events(req: Request, res: Response): Promise<void> {
    const items = await this.#store.events(keyOfTarget(targetOf(req)));
    res.json({ items });
  }

  async create(req: Request, res: Response): Promise<void> {
    const { kind, namespace = 'default' } = scopeOf(req);
    const manifest = manifestOf(bodyObject(req), { kind, namespace });
    res.status(201).json(await this.#store.create(manifest));
  }

  async replace(req: Request, res: Response): Promise<void> {
    const target = targetOf(req);
    const body = bodyObject(req);
    const stored = await this.#stored(target);
    res.json(await this.#store.update(replaced(body, stored, target)));
  }

  async patch(req: Request, res: Response): Promise<void> {
    const type = bodyType(req);
    if (type === 'application/apply-patch+yaml') return this.#apply(req, res);
    if (type !== 'application/merge-patch+json') throw unknownPatch(type);
    const target = targetOf(req);
    const patch = bodyObject(req);
    const patched = await this.#patched(target, patch, (body, stored) =>
      this.#store.update(replaced(body, stored, target)),
    );
    res.json(patched);
  }

  async replaceStatus(req: Request, res: Response): Promise<void> {
    const body = bodyObject(req);
    const stored = await this.#stored(targetOf(req));
    res.json(await this.#store.updateStatus(withStatus(body, stored)));
  }

  async patchStatus(req: Request, res: Response): Promise<void> {
    const type = bodyType(req);
    if (type !== 'application/merge-patch+json') throw unknownPatch(type);
    const patched = await this.#patched(targetOf(req), bodyObject(req), (body, stored) =>
      this.#store.updateStatus(withStatus(body, stored)),
    );
    res.json(patched);
  }

  async remove(req: Request, res: Response): Promise<void> {
    const target = targetOf(req);
    const { metadata } = await this.#stored(target);
    const uid = expectedUid(req, metadata.resourceVersion);
    await this.#store.delete(keyOfTarget(target), uid === undefined ? {} : { uid });
    const left = await this.#store.get(keyOfTarget(target));
    const { name, kind } = target;
    if (left?.metadata.uid === metadata.uid) res.json(left);
    else res.json(success({ name, kind: kind.plural, uid: metadata.uid }));
  }

  async #apply(req: Request, res: Response): Promise<void> {
    const manager = req.query['fieldManager'];
    if (typeof manager !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(manager)) {
      throw new ApiFailure(400, 'fieldManager is required for apply patches');
    }
    const manifest = manifestOf(bodyObject(req), targetOf(req));
    const { object, outcome } = await this.#store.apply(manifest, manager);
    res.status(outcome === 'created' ? 201 : 200).json(object);
  }

  async #patched(
    target: Target,
    patch: Record<string, unknown>,
    write: (body: Record<string, unknown>, stored: KubeObject) => Promise<KubeObject>,
  ): Promise<KubeObject> {
    const metadata = isRecord(patch['metadata']) ? patch['metadata'] : {};
    const insists = metadata['resourceVersion'] !== undefined;
    for (let attempt = 1; ; attempt += 1) {
      const stored = await this.#stored(target);
      try {
        return await write(mergePatch(stored, patch) as Record<string, unknown>, stored);
      } catch (failure) {
        const conflict = failure instanceof StoreError && failure.reason === 'Conflict';
        if (!conflict || insists || attempt === patchAttempts) throw failure;
      }
    }
  }

  /** How this client wants to have objects of a kind. */
  #form(req: Request, kind: Kind): Representation {
    return new Representation(req, columnsOf(kind.kind), this.#now);
  }

  async #stored(target: Target): Promise<KubeObject> {
    const { kind, name } = target;
    const stored = await this.#store.get(keyOfTarget(target));
    if (stored) return stored;
    throw new StoreError('NotFound', `${kind.plural}.${group} "${name}" not found`);
  }
}

function unknownPatch(type: string): ApiFailure {
  const offer = 'application/merge-patch+json or application/apply-patch+yaml';
  return new ApiFailure(
    415,
    `patches of type ${type || '(none)'} are not understood; use ${offer}`,
  );
}

/** The preconditions of `DeleteOptions`. Throws 409. */
function expectedUid(req: Request, version: string): string | undefined {
  if (!Buffer.isBuffer(req.body) || req.body.length === 0) return undefined;
  const { preconditions } = bodyObject(req);
  if (!isRecord(preconditions)) return undefined;
  const { uid, resourceVersion } = preconditions;
  if (typeof resourceVersion === 'string' && resourceVersion !== version) {
    throw new ApiFailure(409, 'the object has changed meanwhile; read it again');
  }
  return typeof uid === 'string' ? uid : undefined;
}
