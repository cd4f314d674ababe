/**
 * As much of Kubernetes' protobuf as `kubectl auth can-i` needs: newer ones ask in it, and take JSON
 * as the answer. The numbers are those of k8s.io/api/authorization/v1.
 */
import { ApiFailure } from './status.ts';

/** The type of such bodies. */
export const protobufType = 'application/vnd.kubernetes.protobuf';

const magic = Buffer.from('k8s\0', 'latin1');
const resourceFields = ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'];
const otherFields = ['path', 'verb'];

/** The `spec` of a SelfSubjectAccessReview. Throws 400 for what is none. */
export function accessReviewSpec(body: Buffer): Record<string, unknown> {
  if (!body.subarray(0, magic.length).equals(magic)) throw unreadable();
  const review = messageAt(fieldsOf(body.subarray(magic.length)), 2);
  const spec = messageAt(fieldsOf(review), 2);
  const fields = fieldsOf(spec);
  const asked = fields.get(1);
  const other = fields.get(2);
  return {
    ...(asked && { resourceAttributes: textsOf(asked, resourceFields) }),
    ...(other && { nonResourceAttributes: textsOf(other, otherFields) }),
  };
}

function textsOf(message: Buffer, names: readonly string[]): Record<string, string> {
  const fields = fieldsOf(message);
  const entries = names.map((name, index): [string, string] => [
    name,
    fields.get(index + 1)?.toString('utf8') ?? '',
  ]);
  return Object.fromEntries(entries);
}

function messageAt(fields: ReadonlyMap<number, Buffer>, number: number): Buffer {
  const message = fields.get(number);
  if (!message) throw unreadable();
  return message;
}

/** The fields of a message that have a length; the last one of each number. Others are skipped. */
function fieldsOf(message: Buffer): ReadonlyMap<number, Buffer> {
  const fields = new Map<number, Buffer>();
  for (let at = 0; at < message.length;) {
    const key = varint(message, at);
    const value = varint(message, key.next);
    const wire = key.value % 8;
    if (wire !== 0 && wire !== 2) throw unreadable();
    at = wire === 0 ? value.next : value.next + value.value;
    if (at > message.length) throw unreadable();
    if (wire === 2) fields.set(Math.floor(key.value / 8), message.subarray(value.next, at));
  }
  return fields;
}

function varint(message: Buffer, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = message[start + index];
    if (byte === undefined) break;
    value += (byte % 128) * 128 ** index;
    if (byte < 128) return { value, next: start + index + 1 };
  }
  throw unreadable();
}

function unreadable(): ApiFailure {
  return new ApiFailure(400, 'the body is no access review in protobuf');
}
