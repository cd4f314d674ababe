import { kinds } from '../../../crds/index.ts';
import type { Column } from '../../../crds/kind.ts';
import { ageOf } from '../../cli/age.ts';
import { asText, evaluateJsonPath } from '../../cli/json-path.ts';

/** Any object of this API, those of the core group included. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
}

/** One column: what it is called, and what stands in it. */
export interface TableColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  readonly priority: 0 | 1;
  readonly cell: (object: ApiObject, now: Date) => string | number | null;
}

/** How much of its object a row carries. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** `metav1.Table` of objects that have these columns; `header` is left out after the first event of a watch. */
export function tableOf(
  objects: readonly ApiObject[],
  columns: readonly TableColumn[],
  options: {
    readonly metadata: object;
    readonly include: IncludeObject;
    readonly header: boolean;
    readonly now: Date;
  },
): ApiObject {
  const { metadata, include, header, now } = options;
  const table = {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: header ? columns.map(definition) : [],
    rows: objects.map((object) => ({
      cells: columns.map(({ cell }) => cell(object, now)),
      object: included(object, include),
    })),
  };
  return table;
}

/** The metadata of an object alone, as an object of its own. */
export function partialOf({ metadata }: ApiObject): ApiObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
}

/** The columns of a kind, as the API server makes them from a CRD: its name first. */
export function columnsOf(kindName: string): readonly TableColumn[] {
  const kind = kinds.find((known) => known.kind === kindName);
  return [nameColumn, ...(kind?.columns ?? []).map(printerColumn)];
}

export const nameColumn: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'The name of the object, unique in its namespace.',
  priority: 0,
  cell: (object) => asText(evaluateJsonPath(object, '.metadata.name')[0]),
};

export const ageColumn: TableColumn = printerColumn({
  name: 'Age',
  jsonPath: '.metadata.creationTimestamp',
  type: 'date',
});

function printerColumn({ name, jsonPath, type = 'string', wide }: Column): TableColumn {
  return {
    name,
    type,
    description: `The object's ${jsonPath}.`,
    priority: wide === true ? 1 : 0,
    cell: (object, now) => cellOf(evaluateJsonPath(object, jsonPath)[0], type, now),
  };
}

/** Cells of dates are ages: that is what the API server sends, and kubectl prints it as it is. */
function cellOf(value: unknown, type: TableColumn['type'], now: Date): string | number | null {
  if (value === undefined || value === null) return null;
  if (type === 'date') return typeof value === 'string' ? ageOf(value, now) : '<invalid>';
  if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null;
  return asText(value);
}

function definition({ cell: _, format = '', ...column }: TableColumn): object {
  return { ...column, format };
}

function included(object: ApiObject, include: IncludeObject): object | null {
  if (include === 'None') return null;
  return include === 'Object' ? object : partialOf(object);
}
