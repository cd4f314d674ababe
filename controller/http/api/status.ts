import { kinds } from '../../../crds/index.ts';
import { group } from '../../../crds/object.ts';
import { CairnError, type Reason } from '../../../crds/reasons.ts';
import { StoreError, type Cause } from '../../../crds/store.ts';
import type { SpecProblem } from '../../../crds/kind.ts';

export interface Details {
  readonly name?: string;
  readonly group?: string;
  /** The plural. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
}

/** `metav1.Status` of Kubernetes: the answer to what failed, and to a deletion. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: Details;
  readonly code: number;
}

const reasons = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
} as const;

export type FailureCode = keyof typeof reasons;

/** A refusal by the API, with the words that Kubernetes clients know. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly code: FailureCode;
  readonly reason: string;
  readonly details: Details | undefined;

  constructor(
    code: FailureCode,
    message: string,
    about: { reason?: string; details?: Details } = {},
  ) {
    super(message);
    this.code = code;
    this.reason = about.reason ?? reasons[code];
    this.details = about.details;
  }

  status(): Status {
    const { message, reason, details, code } = this;
    const base = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const;
    return { ...base, message, reason, ...(details && { details }), code };
  }
}

/** The answer to a deletion. */
export function success(details: Details): Status {
  const base = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } as const;
  return { ...base, details: { group, ...details }, code: 200 };
}

/** What a thrown value is to a client. What we did not foresee is not told in detail. */
export function asApiFailure(thrown: unknown, about: Details = {}): ApiFailure {
  if (thrown instanceof ApiFailure) return thrown;
  if (thrown instanceof StoreError) return storeFailure(thrown, about);
  if (thrown instanceof CairnError) return new ApiFailure(codeOf(thrown.reason), thrown.message);
  const code = statusOf(thrown);
  if (code !== undefined) return new ApiFailure(code, (thrown as Error).message);
  return new ApiFailure(500, 'something went wrong on the server; its log says more');
}

/** A refusal of the store, in the words of the API server where it has some of its own. */
function storeFailure(failure: StoreError, about: Details): ApiFailure {
  const { code, reason, causes, message } = failure;
  const kindName = kinds.find(({ plural }) => plural === about.kind)?.kind;
  const details = {
    group,
    ...about,
    ...(reason === 'Invalid' && kindName !== undefined && { kind: kindName }),
    ...(causes.length > 0 && { causes }),
  };
  const isStale = reason === 'Conflict' && causes.length === 0 && about.name !== undefined;
  const told = isStale
    ? `Operation cannot be fulfilled on ${about.kind}.${group} "${about.name}": ${message}`
    : message;
  return new ApiFailure(code, told, { reason, details });
}

/** 422, with every problem as a cause. `about.kind` is the kind itself here, not its plural. */
export function invalid(problems: readonly SpecProblem[], about: Details): ApiFailure {
  const causes = problems.map(({ path, message }) => ({
    reason: 'FieldValueInvalid',
    message,
    field: fieldOf(path),
  }));
  const summary = causes.map(({ field, message }) => (field ? `${field}: ${message}` : message));
  const name = about.name === undefined ? 'the object' : `${about.kind}.${group} "${about.name}"`;
  const message = `${name} is invalid: ${summary.slice(0, 10).join('; ')}`;
  return new ApiFailure(422, message, { details: { group, ...about, causes } });
}

/** A path as Kubernetes writes it: `spec.suites[0]`. */
export function fieldOf(path: SpecProblem['path']): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index > 0 ? `.${part}` : part))
    .join('');
}

const notFound: ReadonlySet<Reason> = new Set(['FileMissing', 'BlobMissing', 'DependencyNotReady']);

function codeOf(reason: Reason): FailureCode {
  if (reason === 'InternalError') return 500;
  return notFound.has(reason) ? 404 : 409;
}

/** Of errors that express and its body parser make on a client's account. */
function statusOf(thrown: unknown): FailureCode | undefined {
  if (!(thrown instanceof Error) || !('status' in thrown)) return undefined;
  const code = Object.keys(reasons)
    .map(Number)
    .find((known) => known === thrown.status);
  return code === undefined || code >= 500 ? undefined : (code as FailureCode);
}
