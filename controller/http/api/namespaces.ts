import { createHash } from 'node:crypto';
import { kinds } from '../../../crds/index.ts';
import type { StoreReader } from '../../../crds/store.ts';
import { asUid } from './core-events.ts';
import { ageColumn, nameColumn, type ApiObject, type TableColumn } from './table.ts';

export interface Namespace extends ApiObject {
  readonly metadata: { readonly name: string };
}

/** `default`, and those that there are objects in: nobody makes namespaces here. */
export async function namespaces(store: Pick<StoreReader, 'list'>): Promise<readonly Namespace[]> {
  const names = new Set(['default']);
  for (const { kind } of kinds) {
    for (const { metadata } of (await store.list(kind)).items) names.add(metadata.namespace);
  }
  return [...names].sort().map(namespaceOf);
}

function namespaceOf(name: string): Namespace {
  const uid = asUid(createHash('sha256').update(`namespace ${name}`).digest('hex'));
  const labels = { 'kubernetes.io/metadata.name': name };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, ...{ uid, resourceVersion: '1', labels } },
    ...{ spec: {}, status: { phase: 'Active' } },
  };
}

export const namespaceColumns: readonly TableColumn[] = [
  nameColumn,
  {
    name: 'Status',
    type: 'string',
    description: 'The phase of the namespace.',
    priority: 0,
    cell: () => 'Active',
  },
  ageColumn,
];
