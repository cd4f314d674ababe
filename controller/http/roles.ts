/** What the holder of a token may do through the API, from little to all. */
export const roles = ['viewer', 'promoter', 'editor', 'admin'] as const;
export type Role = (typeof roles)[number];

/** What a request is about to do, in the words of Kubernetes' authorization. */
export interface Action {
  readonly verb: 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
  readonly plural: string;
  readonly namespace: string;
  readonly name?: string;
  readonly subresource?: 'status';
}

const readingVerbs: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/**
 * Whether a role may do something at all. Reading is for everybody. What a promoter writes is looked
 * at once more when it is known what would change (`promotions.ts`).
 */
export function mayDo(
  role: Role | undefined,
  { verb, subresource }: { readonly verb: string; readonly subresource?: string | undefined },
): boolean {
  if (readingVerbs.has(verb)) return true;
  if (role === 'admin') return true;
  if (subresource !== undefined && subresource !== '') return false;
  if (role === 'editor') return true;
  return role === 'promoter' && (verb === 'update' || verb === 'patch');
}
