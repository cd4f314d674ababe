import { kinds } from '../../../crds/index.ts';
import type { Kind } from '../../../crds/kind.ts';
import { group, version } from '../../../crds/object.ts';

/** One kind of object as discovery tells of it. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly { readonly name: string; readonly verbs: readonly string[] }[];
}

/** A group with the one version of it that is served here. */
export interface ApiGroup {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly ApiResource[];
}

const objectVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** Of the core group, what `kubectl` asks for when it describes objects. */
export const coreGroup: ApiGroup = {
  group: '',
  version: 'v1',
  resources: [
    readOnly('', 'v1', 'Namespace', {
      namespaced: false,
      shortNames: ['ns'],
      verbs: ['get', 'list'],
    }),
    readOnly('', 'v1', 'Event', {
      namespaced: true,
      shortNames: ['ev'],
      verbs: ['get', 'list', 'watch'],
    }),
  ],
};

/** The named groups, Cairn's own first. */
export const namedGroups: readonly ApiGroup[] = [
  { group, version, resources: kinds.map(resourceOf) },
  {
    group: 'authentication.k8s.io',
    version: 'v1',
    resources: [review('authentication.k8s.io', 'SelfSubjectReview')],
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    resources: [review('authorization.k8s.io', 'SelfSubjectAccessReview')],
  },
];

function resourceOf({ kind, plural, shortNames }: Kind): ApiResource {
  return {
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    namespaced: true,
    verbs: objectVerbs,
    shortNames,
    categories: ['cairn'],
    subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
  };
}

function review(reviewGroup: string, kind: string): ApiResource {
  return readOnly(reviewGroup, 'v1', kind, {
    namespaced: false,
    shortNames: [],
    verbs: ['create'],
  });
}

function readOnly(
  ofGroup: string,
  ofVersion: string,
  kind: string,
  more: Pick<ApiResource, 'namespaced' | 'shortNames' | 'verbs'>,
): ApiResource {
  const singular = kind.toLowerCase();
  const names = { kind, singular, plural: `${singular}s` };
  return {
    group: ofGroup,
    version: ofVersion,
    ...names,
    categories: [],
    subresources: [],
    ...more,
  };
}
