import type { Request, Response } from 'express';
import type { Kind } from '../../../crds/kind.ts';
import { group, type KubeObject, type Manifest } from '../../../crds/object.ts';
import { StoreError, type StatusPart, type Store } from '../../../crds/store.ts';
import type { Action } from '../roles.ts';
import { bodyObject, bodyType } from './body.ts';
import { asRehearsed, editOf, withName, withOwnersOf, type Body, type Edit } from './edits.ts';
import { checkFields, checkStatus, sendWarnings } from './field-validation.ts';
import { documentOf, keyOfTarget, metadataOf, replaced, withStatus } from './objects.ts';
import type { Target } from './objects.ts';
import { generatedName, ownedMetadata } from './owned-metadata.ts';
import { invalidParameter, writeParameters, type WriteParameters } from './parameters.ts';
import { beyondPromotion } from './promotions.ts';
import { Representation } from './representation.ts';
import { scopeOf, storedObject, targetOf } from './resources.ts';
import { textOf } from './selectors.ts';
import { ApiFailure } from './status.ts';
import { columnsOf } from './table.ts';
import { callerOf, forbidden, type WriteRules } from './write-rules.ts';

/** How often a write that insists on nothing is tried again when somebody else was faster. */
const attempts = 5;

export interface WriteOptions {
  readonly store: Store;
  readonly rules: WriteRules;
  readonly now: () => Date;
}

/** The verbs that write. Who may use them was asked before; what a promoter changes is asked here. */
export class Writes {
  readonly #options: WriteOptions;

  constructor(options: WriteOptions) {
    this.#options = options;
  }

  async create(req: Request, res: Response): Promise<void> {
    const { kind, namespace = 'default' } = scopeOf(req);
    const parameters = writeParameters(req);
    const body = bodyObject(req);
    const base = metadataOf(body)['generateName'];
    const generates = typeof base === 'string' && base !== '' && !metadataOf(body)['name'];
    for (let attempt = 1; ; attempt += 1) {
      const named = generates ? withName(body, generatedName(base)) : body;
      try {
        const document = documentOf(named, { kind, namespace });
        const { manifest, warnings } = checked(document, parameters, { kind: kind.kind });
        const made = await this.#options.store.create(manifest, parameters);
        sendWarnings(res, warnings);
        return this.#answer(req, res.status(201), made, parameters);
      } catch (failure) {
        const isTaken = failure instanceof StoreError && failure.reason === 'AlreadyExists';
        if (!isTaken) throw failure;
        if (!generates || attempt === attempts) throw taken(kind, metadataOf(named)['name']);
      }
    }
  }

  async replace(req: Request, res: Response): Promise<void> {
    const body = bodyObject(req);
    await this.#change(req, res, () => body);
  }

  async patch(req: Request, res: Response): Promise<void> {
    if (bodyType(req) === 'application/apply-patch+yaml') return this.#apply(req, res);
    await this.#change(req, res, editOf(req));
  }

  async replaceStatus(req: Request, res: Response): Promise<void> {
    const body = bodyObject(req);
    await this.#changeStatus(req, res, () => body);
  }

  async patchStatus(req: Request, res: Response): Promise<void> {
    if (bodyType(req) === 'application/apply-patch+yaml') return this.#applyStatus(req, res);
    await this.#changeStatus(req, res, editOf(req));
  }

  async #apply(req: Request, res: Response): Promise<void> {
    const target = targetOf(req);
    const { parameters, force, document } = applicationOf(req, target);
    const about = { kind: target.kind.kind, name: target.name };
    const { manifest, warnings } = checked(document, parameters, about, true);
    const options = { force, dryRun: parameters.dryRun };
    const applied = await this.#asAllowed(req, target, manifest, parameters.manager, options);
    sendWarnings(res, warnings);
    const code = applied.outcome === 'created' ? 201 : 200;
    this.#answer(req, res.status(code), applied.object, parameters, applied.before);
  }

  /** The part is checked as such, and what comes of it as a whole, before anything is stored. */
  async #applyStatus(req: Request, res: Response): Promise<void> {
    const { store } = this.#options;
    const target = targetOf(req);
    const { parameters, force, document } = applicationOf(req, target);
    const { manager, dryRun, validation } = parameters;
    const before = await storedObject(store, target);
    const given = { ...target, status: document['status'] ?? {} };
    const { status, warnings } = checkStatus(given, validation, { partial: true });
    const part = { ...document, kind: target.kind.kind, status } as StatusPart; // just checked
    const rehearsed = await store.applyStatus(part, manager, { force, dryRun: true });
    checkStatus({ ...target, status: rehearsed.object.status }, validation);
    const { object } = dryRun ? rehearsed : await store.applyStatus(part, manager, { force });
    sendWarnings(res, warnings);
    this.#answer(req, res, object, parameters, before);
  }

  /** Applies; for a promoter, only after a rehearsal has shown what would change. */
  async #asAllowed(
    req: Request,
    target: Target,
    manifest: Manifest,
    manager: string,
    options: { readonly force: boolean; readonly dryRun: boolean },
  ) {
    const { store } = this.#options;
    const before = await store.get(keyOfTarget(target));
    if (!this.#isPromoter(req)) {
      return { ...(await store.apply(manifest, manager, options)), before };
    }
    const stored = await storedObject(store, target);
    const rehearsed = await store.apply(manifest, manager, { ...options, dryRun: true });
    this.#checkPromotion(req, stored, rehearsed.object);
    const { resourceVersion, uid } = stored.metadata;
    const pinned = { ...manifest, metadata: { ...manifest.metadata, resourceVersion, uid } };
    return { ...(await store.apply(pinned, manager, options)), before };
  }

  async #change(req: Request, res: Response, edit: Edit): Promise<void> {
    const target = targetOf(req);
    const parameters = writeParameters(req);
    const { validation } = parameters;
    await this.#written(req, res, edit, async (body, stored) => {
      const { next, warnings } = replaced(body, stored, { target, validation });
      const written = this.#isPromoter(req) ? withOwnersOf(stored, next) : next;
      this.#checkPromotion(req, stored, written);
      const after = await this.#options.store.update(written, parameters);
      sendWarnings(res, warnings);
      return after;
    });
  }

  async #changeStatus(req: Request, res: Response, edit: Edit): Promise<void> {
    const target = targetOf(req);
    const parameters = writeParameters(req);
    const { validation } = parameters;
    await this.#written(req, res, edit, async (body, stored) => {
      const { next, warnings } = withStatus(body, stored, { target, validation });
      const after = await this.#options.store.updateStatus(next, parameters);
      sendWarnings(res, warnings);
      return after;
    });
  }

  /** Writes what a client makes of the stored object, again if that has changed meanwhile. */
  async #written(
    req: Request,
    res: Response,
    edit: Edit,
    write: (body: Body, stored: KubeObject) => Promise<KubeObject>,
  ): Promise<void> {
    const target = targetOf(req);
    for (let attempt = 1; ; attempt += 1) {
      const stored = await storedObject(this.#options.store, target);
      const body = edit(stored);
      const { resourceVersion } = metadataOf(body);
      const insists = resourceVersion && resourceVersion !== stored.metadata.resourceVersion;
      try {
        const after = await write(body, stored);
        return this.#answer(req, res, after, writeParameters(req), stored);
      } catch (failure) {
        const isConflict = failure instanceof StoreError && failure.reason === 'Conflict';
        if (!isConflict || insists || attempt === attempts) throw failure;
      }
    }
  }

  #isPromoter(req: Request): boolean {
    return callerOf(req, this.#options.rules).role === 'promoter';
  }

  #checkPromotion(req: Request, before: KubeObject, after: KubeObject): void {
    if (!this.#isPromoter(req)) return;
    const { kind, ...target } = targetOf(req);
    const places = beyondPromotion(kind, before, after);
    if (places.length === 0) return;
    const action: Action = {
      verb: req.method === 'PUT' ? 'update' : 'patch',
      plural: kind.plural,
      ...target,
    };
    const why = `a promoter does not change ${places.slice(0, 10).join(', ')}`;
    throw forbidden(callerOf(req, this.#options.rules), action, why);
  }

  #answer(
    req: Request,
    res: Response,
    object: KubeObject,
    { dryRun }: WriteParameters,
    before?: KubeObject,
  ): void {
    const columns = columnsOf(object.kind);
    const form = new Representation(req, columns, this.#options.now);
    res.json(form.one(dryRun ? asRehearsed(object, before) : object));
  }
}

/** What an apply patch asks for. Throws 422 and 400. */
function applicationOf(req: Request, target: Target) {
  if (textOf(req, 'fieldManager') === '') {
    throw invalidParameter('fieldManager', 'it is required for apply patches');
  }
  const parameters = writeParameters(req);
  const force = textOf(req, 'force') === 'true';
  const body = bodyObject(req);
  if (isOwned(metadataOf(body)['managedFields'])) {
    throw new ApiFailure(400, 'metadata.managedFields must be nil');
  }
  return { parameters, force, document: documentOf(body, target) };
}

function taken({ plural }: Kind, name: unknown): ApiFailure {
  const message = `${plural}.${group} "${String(name)}" already exists`;
  const details = { group, kind: plural, name: String(name) };
  return new ApiFailure(409, message, { reason: 'AlreadyExists', details });
}

/** The checked document with finalizers and owners, which the schema of kinds does not know. */
function checked(
  document: Body,
  { validation }: WriteParameters,
  about: { readonly kind: string; readonly name?: string },
  partial = false,
) {
  const { manifest, warnings } = checkFields(document, validation, { partial });
  const { resourceVersion, uid } = metadataOf(document);
  const metadata = {
    ...manifest.metadata,
    ...ownedMetadata(metadataOf(document), about),
    ...(partial && { resourceVersion, uid }),
  };
  return { manifest: { ...manifest, metadata } as Manifest, warnings };
}

function isOwned(managedFields: unknown): boolean {
  return managedFields !== undefined && managedFields !== null;
}
