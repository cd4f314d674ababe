import type { Request } from 'express';
import { formOf, type Form } from './accept.ts';
import { ApiFailure } from './status.ts';
import {
  partialOf,
  tableOf,
  type ApiObject,
  type IncludeObject,
  type TableColumn,
} from './table.ts';

/** A list of objects as it is before a client's form is given to it. */
export interface ApiList extends ApiObject {
  readonly items: readonly ApiObject[];
}

/** Gives objects the form that a client has asked for: themselves, a table, or metadata alone. */
export class Representation {
  readonly #form: Form;
  readonly #include: IncludeObject;
  readonly #columns: readonly TableColumn[];
  readonly #now: () => Date;
  #hasHeader = false;

  /** Throws 406 for a client that takes nothing of this, 400 for an unknown `includeObject`. */
  constructor(req: Request, columns: readonly TableColumn[], now: () => Date) {
    this.#form = formOf(req);
    this.#include = includeOf(req);
    this.#columns = columns;
    this.#now = now;
  }

  one(object: ApiObject): ApiObject {
    if (this.#form === 'Object') return object;
    if (this.#form === 'PartialObjectMetadata') return partialOf(object);
    return this.#table([object], { resourceVersion: versionOf(object) }, true);
  }

  list(list: ApiList): ApiObject {
    if (this.#form === 'Object') return list;
    const { metadata, items } = list;
    if (this.#form === 'Table') return this.#table(items, metadata, true);
    const kind = 'PartialObjectMetadataList';
    return { kind, apiVersion: 'meta.k8s.io/v1', metadata, ...{ items: items.map(partialOf) } };
  }

  /** An object of a watch. Only the first table says what its columns are. */
  event(object: ApiObject): ApiObject {
    if (this.#form !== 'Table') return this.one(object);
    const header = !this.#hasHeader;
    this.#hasHeader = true;
    return this.#table([object], { resourceVersion: versionOf(object) }, header);
  }

  /** The bookmark of a watch, which is an object with nothing but a version. */
  bookmark(object: ApiObject): ApiObject {
    if (this.#form !== 'Table') return this.one(object);
    return this.#table([], object.metadata, false);
  }

  #table(objects: readonly ApiObject[], metadata: object, header: boolean): ApiObject {
    const [include, now] = [this.#include, this.#now()];
    return tableOf(objects, this.#columns, { metadata, include, header, now });
  }
}

function includeOf(req: Request): IncludeObject {
  const { includeObject } = req.query;
  if (includeObject === undefined || includeObject === '') return 'Metadata';
  if (includeObject === 'None' || includeObject === 'Metadata' || includeObject === 'Object') {
    return includeObject;
  }
  const message = `includeObject is None, Metadata or Object, not ${JSON.stringify(includeObject)}`;
  throw new ApiFailure(400, message);
}

function versionOf({ metadata }: ApiObject): string {
  return 'resourceVersion' in metadata ? String(metadata.resourceVersion) : '';
}
