import type { Kind } from '../../../crds/kind.ts';
import { apiVersion, group, version } from '../../../crds/object.ts';
import { kindReference, reference, schemaName } from './openapi-schemas.ts';

type Verb = 'get' | 'list' | 'post' | 'put' | 'patch' | 'delete' | 'deletecollection';

const query = (name: string, type: 'string' | 'integer' | 'boolean' = 'string') => ({
  name,
  in: 'query',
  schema: { type, uniqueItems: true },
});
const inPath = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', uniqueItems: true },
});

const selecting = [
  query('labelSelector'),
  query('fieldSelector'),
  query('limit', 'integer'),
  query('continue'),
  query('resourceVersion'),
  query('resourceVersionMatch'),
  query('timeoutSeconds', 'integer'),
  query('watch', 'boolean'),
  query('allowWatchBookmarks', 'boolean'),
  query('sendInitialEvents', 'boolean'),
];
const writing = [query('dryRun'), query('fieldManager'), query('fieldValidation')];
const deleting = [
  query('dryRun'),
  query('propagationPolicy'),
  query('gracePeriodSeconds', 'integer'),
];

const parameters: Readonly<Record<Verb, readonly object[]>> = {
  get: [],
  list: selecting,
  post: writing,
  put: writing,
  patch: [...writing, query('force', 'boolean')],
  delete: deleting,
  deletecollection: [...selecting, ...deleting],
};

const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
];

/** The paths of a kind with their operations. */
export function pathsOf({ kind, plural }: Kind): readonly (readonly [string, object])[] {
  const root = `/apis/${apiVersion}`;
  const collection = `${root}/namespaces/{namespace}/${plural}`;
  const object = `${collection}/{name}`;
  const of = (verb: Verb) => operation(verb, kind);
  const one = [inPath('namespace'), inPath('name')];
  return [
    [`${root}/${plural}`, { get: of('list') }],
    [
      collection,
      {
        get: of('list'),
        post: of('post'),
        delete: of('deletecollection'),
        parameters: [inPath('namespace')],
      },
    ],
    [
      object,
      { get: of('get'), put: of('put'), patch: of('patch'), delete: of('delete'), parameters: one },
    ],
    [`${object}/status`, { get: of('get'), put: of('put'), patch: of('patch'), parameters: one }],
  ];
}

function operation(verb: Verb, kind: string): object {
  const answer = schemaName(verb === 'list' ? `${kind}List` : kind);
  const content = { 'application/json': { schema: reference(answer) } };
  return {
    tags: [`${group}_${version}`],
    parameters: parameters[verb],
    ...bodyOf(verb, kind),
    responses: { 200: { description: 'OK', content } },
    'x-kubernetes-action': verb,
    'x-kubernetes-group-version-kind': kindReference(kind),
  };
}

function bodyOf(verb: Verb, kind: string): object {
  if (verb === 'patch') {
    const contents = patchTypes.map((type) => [type, { schema: { type: 'object' } }] as const);
    return { requestBody: { required: true, content: Object.fromEntries(contents) } };
  }
  if (verb !== 'post' && verb !== 'put') return {};
  const schema = reference(schemaName(kind));
  return { requestBody: { required: true, content: { 'application/json': { schema } } } };
}
