import { toCrd } from '../../../crds/crd.ts';
import type { Kind } from '../../../crds/kind.ts';
import { group, version } from '../../../crds/object.ts';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const text = (description: string) => ({ type: 'string', description });
const time = (description: string) => ({ type: 'string', format: 'date-time', description });
const texts = (description: string) => ({
  type: 'object',
  additionalProperties: { type: 'string', default: '' },
  description,
});

/** A reference to the schema of objects of a kind. */
export function schemaName(kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

export function reference(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

export function kindReference(kind: string) {
  return { group, kind, version };
}

/** The schemas of a kind's objects and of lists of them, by name. */
export function schemasOf({ kind, ...more }: Kind): readonly (readonly [string, object])[] {
  const [served] = toCrd({ kind, ...more }).spec.versions;
  const schema = served?.schema.openAPIV3Schema;
  const metadata = {
    allOf: [reference(`${meta}.ObjectMeta`)],
    description: 'Its name, and what else every object has.',
    default: {},
  };
  const list = {
    type: 'object',
    description: `A list of ${kind} objects.`,
    required: ['items'],
    properties: {
      apiVersion: text('The group and version.'),
      kind: text(`${kind}List.`),
      metadata: { allOf: [reference(`${meta}.ListMeta`)], description: 'About the list.' },
      items: { type: 'array', items: reference(schemaName(kind)), description: 'The objects.' },
    },
  };
  return [
    [
      schemaName(kind),
      {
        ...schema,
        properties: { ...schema?.properties, metadata },
        'x-kubernetes-group-version-kind': [kindReference(kind)],
      },
    ],
    [
      schemaName(`${kind}List`),
      { ...list, 'x-kubernetes-group-version-kind': [kindReference(`${kind}List`)] },
    ],
  ];
}

const ownerReference = {
  type: 'object',
  description: 'An object that this one goes with.',
  required: ['apiVersion', 'kind', 'name', 'uid'],
  properties: {
    apiVersion: text('Its group and version.'),
    kind: text('Its kind.'),
    name: text('Its name.'),
    uid: text('Its uid.'),
    controller: { type: 'boolean', description: 'Whether it is the one that manages this one.' },
    blockOwnerDeletion: { type: 'boolean', description: 'Whether it can not go before this one.' },
  },
};

const managedFieldsEntry = {
  type: 'object',
  description: 'The fields that one manager has set.',
  properties: {
    manager: text('Who: a program, or the manager that it names.'),
    operation: text('How: Apply or Update.'),
    apiVersion: text('The version of the fields.'),
    time: time('When it changed them last.'),
    fieldsType: text('FieldsV1.'),
    fieldsV1: { type: 'object', description: 'The fields, as a tree.' },
    subresource: text('status, if they were set there.'),
  },
};

/** What the schemas of all kinds refer to: metadata as it is in Kubernetes, as far as it is here. */
export const sharedSchemas: Readonly<Record<string, object>> = {
  [`${meta}.ObjectMeta`]: {
    type: 'object',
    description: 'What every object has.',
    properties: {
      name: text('Its name, unique in its namespace and kind.'),
      generateName: text('The beginning of a name that the server completes.'),
      namespace: text('Its namespace; default when none is given.'),
      labels: texts('Words to select it by.'),
      annotations: texts('Notes of people and programs.'),
      uid: text('Tells it from any other object that has had its name.'),
      resourceVersion: text('Changes with every change of it.'),
      generation: { type: 'integer', format: 'int64', description: 'Counts changes of its spec.' },
      creationTimestamp: time('When it was made.'),
      deletionTimestamp: time('When somebody asked for its deletion.'),
      finalizers: {
        type: 'array',
        items: { type: 'string', default: '' },
        description: 'Who has to let go of it before it goes.',
        'x-kubernetes-list-type': 'set',
      },
      ownerReferences: {
        type: 'array',
        items: ownerReference,
        description: 'The objects that it goes with.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['uid'],
      },
      managedFields: {
        type: 'array',
        items: managedFieldsEntry,
        description: 'Who has set which fields.',
        'x-kubernetes-list-type': 'atomic',
      },
    },
  },
  [`${meta}.ListMeta`]: {
    type: 'object',
    description: 'About a list.',
    properties: {
      resourceVersion: text('The state that the list shows.'),
      continue: text('Where the next page begins, if there is one.'),
      remainingItemCount: {
        type: 'integer',
        format: 'int64',
        description: 'How many more there are.',
      },
    },
  },
};
