import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Lru } from '../../../controller/http/lru.ts';

it('forgets what was not used for longest, by weight', () => {
  const kept = new Lru<number>(10);
  kept.set('a', 1, 4);
  kept.set('b', 2, 4);
  assert.equal(kept.get('a'), 1);
  kept.set('c', 3, 4);
  assert.deepEqual([kept.get('a'), kept.get('b'), kept.get('c')], [1, undefined, 3]);
  kept.set('a', 5, 1);
  kept.set('d', 4, 5);
  assert.deepEqual([kept.get('a'), kept.get('c'), kept.get('d')], [5, 3, 4]);
  kept.set('huge', 6, 11);
  assert.deepEqual([kept.get('huge'), kept.get('d')], [undefined, 4]);
  kept.clear();
  assert.equal(kept.get('d'), undefined);
});
