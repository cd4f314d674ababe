import type { SeenRequest } from '../world/api-proxy.ts';
import type { Rule } from './chart.ts';

/** What may be done, or what was done, in RBAC's words. */
interface Right {
  /** As in `cairn.build/mirrors/status`. */
  readonly resource: string;
  readonly verb: string;
  /** Of the only object that may be meant; of the object that was meant. */
  readonly name: string | undefined;
}

export interface Comparison {
  /** What is granted, and was not asked for. */
  readonly idle: readonly string[];
  /** What was asked for, and is not granted; a request about no object of the namespace, as it is. */
  readonly missing: readonly string[];
}

/** Compares what rules grant in a namespace with what requests have asked for. */
export function compared(
  rules: readonly Rule[],
  requests: readonly SeenRequest[],
  namespace: string,
): Comparison {
  const rights = rules.flatMap(granted);
  // every account may read those, by system:discovery
  const own = requests.filter(({ path }) => !path.startsWith('/openapi/'));
  const asked = own.map((request) => asRight(request, namespace));
  const fits = (one: Right | string, right: Right) =>
    typeof one !== 'string' &&
    one.resource === right.resource &&
    one.verb === right.verb &&
    (right.name === undefined || right.name === one.name);
  const idle = rights.filter((right) => !asked.some((one) => fits(one, right)));
  const missing = asked.filter((one) => !rights.some((right) => fits(one, right)));
  return { idle: told(idle), missing: told(missing) };
}

function told(rights: readonly (Right | string)[]): readonly string[] {
  const words = rights.map((one) =>
    typeof one === 'string' ? one : [one.resource, one.verb, one.name].filter(Boolean).join(' '),
  );
  return [...new Set(words)].sort();
}

function granted({ apiGroups, resources, resourceNames, verbs }: Rule): readonly Right[] {
  const names = resourceNames ?? [undefined];
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) => names.map((name) => right(group, resource, { verb, name }))),
    ),
  );
}

/** A request in RBAC's words; one that is about no object of the namespace, as it is. */
function asRight({ method, path }: SeenRequest, namespace: string): Right | string {
  const { pathname, searchParams } = new URL(path, 'http://server');
  const root = /^\/(?:api\/v1|apis\/(?<group>[^/]+)\/[^/]+)\/namespaces\/(?<within>[^/]+)\//;
  const found = root.exec(pathname);
  if (found?.groups?.['within'] !== namespace) return `${method} ${path}`;
  const [resource = '', name, part] = pathname.slice(found[0].length).split('/');
  const isWatch = ['1', 'true'].includes(searchParams.get('watch') ?? '');
  const reading = isWatch ? 'watch' : name === undefined ? 'list' : 'get';
  const verb = method === 'GET' ? reading : (verbs[method] ?? method);
  const whole = part === undefined ? resource : `${resource}/${part}`;
  return right(found.groups['group'] ?? '', whole, { verb, name });
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function right(group: string, resource: string, what: Omit<Right, 'resource'>): Right {
  return { ...what, resource: `${group === '' ? 'core' : group}/${resource}` };
}
