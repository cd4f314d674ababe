import { isSame } from '../../json.ts';
import { isRecord } from '../../../crds/record.ts';
import { ApiFailure } from './status.ts';

/** Steps of one patch, and bytes that `copy` may add: a short patch could ask for a lot of work. */
const limits = { operations: 1000, copiedBytes: 3 * 1024 * 1024 };

interface Operation {
  readonly op: string;
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: unknown;
  readonly pointer: string;
}

/**
 * RFC 6902, on a copy. Throws 400 for what is no such patch, 413 for too much of it, and 422 with
 * the pointer where it does not fit the document.
 */
export function jsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new ApiFailure(400, 'a JSON patch is a list of operations');
  if (patch.length > limits.operations) {
    const message = `the allowed maximum of operations in a JSON patch is ${limits.operations}`;
    throw new ApiFailure(413, message);
  }
  const root = { '': structuredClone(document) };
  let copied = 0;
  for (const operation of patch.map(operationOf)) {
    if (operation.op === 'copy') copied += JSON.stringify(at(root, operation.from)).length;
    if (copied > limits.copiedBytes) throw new ApiFailure(413, 'the patch copies too much');
    perform(root, operation);
  }
  return root[''];
}

type Perform = (root: unknown, operation: Operation) => void;

const operations: Readonly<Record<string, Perform>> = {
  add: (root, { path, value }) => put(root, path, structuredClone(value), true),
  remove: (root, { path }) => void take(root, path),
  replace: (root, { path, value }) => put(root, path, structuredClone(value), false),
  move: (root, { path, from }) => put(root, path, take(root, from), true),
  copy: (root, { path, from }) => put(root, path, structuredClone(at(root, from)), true),
  test: (root, { path, value, pointer }) => {
    if (!isSame(at(root, path), value)) throw unfit(`testing value ${pointer} failed`);
  },
};

function perform(root: unknown, operation: Operation): void {
  if (operation.op === 'move' && isBelow(operation.path, operation.from)) {
    throw unfit(`${operation.pointer} is inside of what is to be moved there`);
  }
  operations[operation.op]?.(root, operation);
}

function isBelow(path: readonly string[], from: readonly string[]): boolean {
  return path.length > from.length && from.every((step, index) => path[index] === step);
}

function operationOf(given: unknown): Operation {
  const fields = isRecord(given) ? given : {};
  const { op, path, from, value } = fields;
  if (typeof op !== 'string' || !Object.hasOwn(operations, op)) {
    throw new ApiFailure(400, `op: ${JSON.stringify(op) ?? 'nothing'} is no JSON patch operation`);
  }
  const needsFrom = op === 'move' || op === 'copy';
  const needsValue = op === 'add' || op === 'replace' || op === 'test';
  if (needsValue && !Object.hasOwn(fields, 'value')) {
    throw new ApiFailure(400, `value: the operation ${op} needs one`);
  }
  return {
    op,
    path: stepsOf(path, 'path'),
    from: needsFrom ? stepsOf(from, 'from') : [],
    value,
    pointer: String(path),
  };
}

/** A JSON pointer (RFC 6901) below the one field of the root. */
function stepsOf(pointer: unknown, field: string): readonly string[] {
  if (typeof pointer !== 'string' || !/^(\/|$)/.test(pointer)) {
    throw new ApiFailure(400, `${field}: expected a JSON pointer such as /spec/suspend`);
  }
  const steps = pointer.split('/').slice(1);
  return ['', ...steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))];
}

function at(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((here, step) => {
    if (Array.isArray(here)) return here[indexIn(step, path, here.length - 1)];
    if (isRecord(here) && Object.hasOwn(here, step)) return here[step];
    throw missing(path);
  }, root);
}

function put(root: unknown, path: readonly string[], value: unknown, insert: boolean): void {
  const [parent, step] = [at(root, path.slice(0, -1)), path.at(-1) ?? ''];
  if (Array.isArray(parent)) {
    const last = insert ? parent.length : parent.length - 1;
    const index = insert && step === '-' ? parent.length : indexIn(step, path, last);
    parent.splice(index, insert ? 0 : 1, value);
    return;
  }
  const isThere = isRecord(parent) && Object.hasOwn(parent, step);
  if (!isRecord(parent) || (!insert && !isThere)) throw missing(path);
  // `parent[step] =` would set the prototype where the step is __proto__
  const options = { value, enumerable: true, writable: true, configurable: true };
  Object.defineProperty(parent, step, options);
}

function take(root: unknown, path: readonly string[]): unknown {
  const [parent, step] = [at(root, path.slice(0, -1)), path.at(-1) ?? ''];
  const taken = at(root, path);
  if (Array.isArray(parent)) parent.splice(Number(step), 1);
  else if (isRecord(parent)) delete parent[step];
  return taken;
}

function indexIn(step: string, path: readonly string[], last: number): number {
  const index = /^(0|[1-9]\d{0,8})$/.test(step) ? Number(step) : -1;
  if (index < 0 || index > last) throw missing(path);
  return index;
}

function missing(path: readonly string[]): ApiFailure {
  return unfit(`there is nothing at ${path.join('/') || '/'}`);
}

function unfit(message: string): ApiFailure {
  return new ApiFailure(422, `the JSON patch does not fit: ${message}`);
}
