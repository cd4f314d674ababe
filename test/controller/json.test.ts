import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isSame, plain } from '../../controller/json.ts';

const byText = (one: unknown, other: unknown) =>
  isDeepStrictEqual(plain({ value: one }), plain({ value: other }));

describe('two values are the same', () => {
  const odd = fc.anything({ withDate: true, withSparseArray: true, maxDepth: 3 });

  it('exactly when their JSON is, whatever they are', () => {
    fc.assert(fc.property(odd, odd, (one, other) => isSame(one, other) === byText(one, other)));
    fc.assert(fc.property(odd, (one) => isSame(one, plain({ value: one }).value)));
  });

  it('with their keys in another order, and with fields that are undefined', () => {
    assert.ok(isSame({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2, e: undefined }], a: 1 }));
    assert.ok(isSame([undefined], [null]));
    assert.ok(!isSame(new Array(1), [1]));
    assert.ok(isSame(new Date(0), '1970-01-01T00:00:00.000Z'));
    assert.ok(isSame(Number.NaN, null));
    assert.ok(!isSame({ a: null }, {}));
    assert.ok(!isSame([], {}));
    assert.ok(!isSame({ a: 1 }, { a: 1, b: 1 }));
  });
});
