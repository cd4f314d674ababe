import type { IncomingHttpHeaders } from 'node:http';

/** What a stored file is compared with. */
export interface Validators {
  /** A strong entity tag, quoted. */
  readonly etag: string;
  /** Milliseconds, whole seconds. */
  readonly modified: number;
  /** Bytes. */
  readonly size: number;
}

export type Answer =
  | { readonly status: 200 | 304 | 412 | 416 }
  | { readonly status: 206; readonly start: number; readonly end: number };

/**
 * Decides between the whole file, a part of it and none of it (RFC 9110 §13.2.2 and §14.2). Several
 * ranges, or a range that can't be read, get the whole file.
 */
export function answer(
  headers: IncomingHttpHeaders,
  file: Validators,
  method: 'GET' | 'HEAD' | (string & {}),
): Answer {
  if (!preconditionsHold(headers, file)) return { status: 412 };
  if (notModified(headers, file)) return { status: 304 };
  const { range } = headers;
  if (range === undefined || method !== 'GET' || !rangeApplies(headers, file)) {
    return { status: 200 };
  }
  return part(range, file.size);
}

function preconditionsHold(headers: IncomingHttpHeaders, file: Validators): boolean {
  const match = headers['if-match'];
  if (match !== undefined) return tagsOf(match).some((tag) => tag === '*' || tag === file.etag);
  const since = dateOf(headers['if-unmodified-since']);
  return since === undefined || file.modified <= since;
}

function notModified(headers: IncomingHttpHeaders, file: Validators): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) {
    return tagsOf(noneMatch).some((tag) => tag === '*' || tag.replace(/^W\//, '') === file.etag);
  }
  const since = dateOf(headers['if-modified-since']);
  return since !== undefined && file.modified <= since;
}

/** RFC 9110 §13.1.5: a strong tag, or exactly the date that we gave. */
function rangeApplies(headers: IncomingHttpHeaders, file: Validators): boolean {
  const condition = headers['if-range'];
  if (typeof condition !== 'string') return true;
  if (/^\s*(W\/)?"/.test(condition)) return condition.trim() === file.etag;
  return dateOf(condition) === file.modified;
}

function part(range: string, size: number): Answer {
  const [, first = '', last = ''] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range) ?? [];
  if (first === '' && last === '') return { status: 200 };
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? { status: 416 } : { status: 206, start: size - length, end: size - 1 };
  }
  if (last !== '' && Number(last) < Number(first)) return { status: 200 };
  if (Number(first) >= size) return { status: 416 };
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return { status: 206, start: Number(first), end };
}

function tagsOf(header: string): readonly string[] {
  return header.split(',').map((tag) => tag.trim());
}

function dateOf(header: string | undefined): number | undefined {
  if (header === undefined || !/ GMT$/.test(header) || header.length > 64) return undefined;
  const time = Date.parse(header);
  return Number.isNaN(time) ? undefined : time;
}
