import { StoreError, type Cause } from '../../../crds/store.ts';
import { isRecord } from '../../../crds/record.ts';

/** An answer of the API server: its HTTP status and its JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** What Retry-After asks for; 0 when there is none. */
  readonly retryAfterMs: number;
}

/** A failure that an API server has told of, with the HTTP status of it. */
export class ApiError extends StoreError {
  readonly status: number;
  readonly retryAfterMs: number;

  constructor(
    reason: StoreError['reason'],
    message: string,
    {
      status,
      retryAfterMs = 0,
      causes = [],
    }: { status: number; retryAfterMs?: number; causes?: readonly Cause[] },
  ) {
    super(reason, message, { causes });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const longestMessage = 2048;
const mostCauses = 100;
const tooLargeForEtcd = /request is too large|Request entity too large|limit is \d+/i;

/**
 * The error that a `metav1.Status` stands for. Messages of Invalid name the fields as the server
 * does; those of Forbidden name verb and resource.
 */
export function asStoreError(answer: Answer): ApiError {
  const { status, retryAfterMs } = answer;
  const { message, reason } = statusOf(answer);
  const about = { status, retryAfterMs, causes: causesOf(answer) };
  if (status === 401) {
    const told = `the API server does not accept the credentials: ${message}`;
    return new ApiError('Unavailable', told, about);
  }
  return new ApiError(reasonOf(status, reason, message), message, about);
}

function reasonOf(status: number, reason: string, message: string): StoreError['reason'] {
  if (status === 409) return reason === 'AlreadyExists' ? 'AlreadyExists' : 'Conflict';
  if (status === 413 || tooLargeForEtcd.test(message)) return 'Invalid';
  return byStatus[status] ?? 'Unavailable';
}

/** 400: a field that the schema of the server doesn't have (`fieldValidation=Strict`), above all. */
const byStatus: Readonly<Record<number, StoreError['reason']>> = {
  400: 'Invalid',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'Invalid',
  410: 'Expired',
  415: 'Invalid',
  422: 'Invalid',
};

/** Field by field, as far as the server names them: of conflicts, with the other manager. */
function causesOf({ body }: Answer): readonly Cause[] {
  const { details } = isRecord(body) ? body : {};
  const { causes } = isRecord(details) ? details : {};
  if (!Array.isArray(causes)) return [];
  return causes.slice(0, mostCauses).flatMap((cause: unknown) => {
    const { reason = '', message = '', field = '' } = isRecord(cause) ? cause : {};
    const told = { reason: String(reason), message: String(message), field: String(field) };
    return [{ ...told, message: told.message.slice(0, longestMessage) }];
  });
}

function statusOf({ status, body }: Answer): { message: string; reason: string } {
  const { message, reason } = isRecord(body) ? body : {};
  const told = typeof message === 'string' && message !== '' ? message : `HTTP status ${status}`;
  return {
    message: told.slice(0, longestMessage),
    reason: typeof reason === 'string' ? reason : '',
  };
}
