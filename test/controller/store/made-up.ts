import { Type } from 'typebox';
import { defineKind } from '../../../crds/kind.ts';
import { apiVersion, commonStatus, type KubeObject, type Manifest } from '../../../crds/object.ts';
import type { Validate } from '../../../controller/store/declared.ts';

const common = {
  shortNames: [],
  summary: 'Made up for tests.',
  columns: [],
  status: Type.Object({ ...commonStatus, size: Type.Optional(Type.Integer()) }),
};

/** Kinds that are in no product: one that changes, one that doesn't. */
export const WidgetKind = defineKind({
  ...common,
  kind: 'Widget',
  plural: 'widgets',
  spec: Type.Object({
    size: Type.Integer(),
    colour: Type.String({ default: 'grey' }),
    text: Type.Optional(Type.String()),
  }),
});

export const FossilKind = defineKind({
  ...common,
  kind: 'Fossil',
  plural: 'fossils',
  spec: Type.Object({ age: Type.Integer() }),
  immutable: true,
});

/** A size is a number, and a colour is grey unless it is given. */
export const validateMadeUp: Validate = (input) => {
  const manifest = input as Manifest<Record<string, unknown>>; // a test's own
  if (manifest.kind !== 'Widget') return { manifest, problems: [] };
  if (typeof manifest.spec['size'] !== 'number') {
    return { problems: [{ path: ['spec', 'size'], message: 'expected an integer' }] };
  }
  return { manifest: { ...manifest, spec: { colour: 'grey', ...manifest.spec } }, problems: [] };
};

export function widget(
  name: string,
  spec: object = { size: 1 },
  metadata: Partial<KubeObject['metadata']> = {},
): Manifest {
  return {
    apiVersion,
    kind: 'Widget',
    metadata: { namespace: 'default', ...metadata, name },
    spec,
  };
}

export function fossil(name: string, spec: object = { age: 1 }): Manifest {
  return { apiVersion, kind: 'Fossil', metadata: { namespace: 'default', name }, spec };
}

export function keyed(name: string, kind = 'Widget') {
  return { kind, namespace: 'default', name };
}

/** The object with some of its metadata replaced. */
export function altered(object: KubeObject, metadata: Partial<KubeObject['metadata']>): KubeObject {
  return { ...object, metadata: { ...object.metadata, ...metadata } };
}
