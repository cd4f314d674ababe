import type { SeenRequest } from '../world/api-proxy.ts';
import type { Rule } from './chart.ts';

/** What rules grant, as `cairn.build/mirrors/status update`. */
export function granted(rules: readonly Rule[]): readonly string[] {
  const rights = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => right(group, resource, verb))),
    ),
  );
  return [...new Set(rights)].sort();
}

/** What requests have asked for, in the same words. */
export function used(requests: readonly SeenRequest[], namespace: string): readonly string[] {
  // every account may read those, by system:discovery
  const granted = requests.filter(({ path }) => !path.startsWith('/openapi/'));
  return [...new Set(granted.map((request) => asRight(request, namespace)))].sort();
}

/** A request in RBAC's words; one that is about no object of the namespace, as it is. */
function asRight({ method, path }: SeenRequest, namespace: string): string {
  const { pathname, searchParams } = new URL(path, 'http://server');
  const root = /^\/(?:api\/v1|apis\/(?<group>[^/]+)\/[^/]+)\/namespaces\/(?<within>[^/]+)\//;
  const found = root.exec(pathname);
  if (found?.groups?.['within'] !== namespace) return `${method} ${path}`;
  const [resource = '', name, part] = pathname.slice(found[0].length).split('/');
  const isWatch = ['1', 'true'].includes(searchParams.get('watch') ?? '');
  const reading = isWatch ? 'watch' : name === undefined ? 'list' : 'get';
  const verb = method === 'GET' ? reading : verbs[method];
  const whole = part === undefined ? resource : `${resource}/${part}`;
  return right(found.groups['group'] ?? '', whole, verb ?? method);
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function right(group: string, resource: string, verb: string): string {
  return `${group === '' ? 'core' : group}/${resource} ${verb}`;
}
