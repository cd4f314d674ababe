import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cache } from '../../../../controller/store/kubernetes/cache.ts';
import type { Entry } from '../../../../controller/store/kubernetes/entry.ts';

function entry(name: string, version: number, uid = `uid-${name}`): Entry {
  const body = JSON.stringify({ name, version });
  return { namespace: 'default', name, uid, version, labels: {}, body };
}

function listed(...entries: Entry[]): Cache {
  const cache = new Cache(() => undefined);
  cache.replace(entries, 10);
  return cache;
}

const versionOf = (cache: Cache, name: string) => cache.get('default', name)?.version;
const told = (cache: Cache, from: number) =>
  cache.after(from, 100).map(({ type, version }) => [type, version]);

describe('a cache of objects', () => {
  it('never shows an older state than what was written', () => {
    const cache = listed(entry('a', 5));
    cache.wrote(entry('a', 12));
    cache.apply('modified', entry('a', 11));

    assert.equal(versionOf(cache, 'a'), 12);
    assert.equal(cache.isCaughtUp(), false);
    cache.apply('modified', entry('a', 12));

    assert.equal(cache.isCaughtUp(), true);
    assert.deepEqual(told(cache, 10), [
      ['modified', 11],
      ['modified', 12],
    ]);
  });

  it('brings nothing back when an answer is slower than the end of its object', () => {
    const cache = listed(entry('a', 5));
    cache.apply('deleted', entry('a', 12));

    cache.wrote(entry('a', 11));
    cache.deleted(entry('a', 11));

    assert.equal(versionOf(cache, 'a'), undefined);
    assert.equal(cache.isCaughtUp(), true);
    cache.wrote(entry('a', 13, 'another'));
    assert.equal(versionOf(cache, 'a'), 13);
  });

  it('keeps what was deleted away until the server says so', () => {
    const cache = listed(entry('a', 5));
    cache.deleted(entry('a', 5));
    cache.apply('modified', entry('a', 11));
    cache.replace([entry('a', 11)], 12);

    assert.equal(versionOf(cache, 'a'), undefined);
    assert.equal(cache.isCaughtUp(), false);
    cache.apply('deleted', entry('a', 13));
    assert.equal(cache.isCaughtUp(), true);
  });

  it('takes another object of that name for what it is', () => {
    const cache = listed(entry('a', 5, 'old'));
    cache.apply('deleted', entry('a', 11, 'old'));
    cache.wrote(entry('a', 12, 'new'));
    cache.apply('added', entry('a', 12, 'new'));

    assert.equal(cache.get('default', 'a')?.uid, 'new');
  });

  it('expires watches when a list shows that something was missed, and only then', () => {
    const cache = listed(entry('a', 5));
    cache.replace([entry('a', 5)], 20);
    assert.equal(cache.isExpired(10), false);

    cache.replace([entry('a', 21)], 22);

    assert.equal(cache.isExpired(20), true);
    assert.equal(cache.isExpired(22), false);
  });

  it('keeps what was written after a list was made', () => {
    const cache = listed(entry('a', 5));
    cache.wrote(entry('b', 15));
    cache.replace([entry('a', 5)], 12);

    assert.equal(versionOf(cache, 'b'), 15);
  });

  it('believes a server that was put back to an older state', () => {
    const cache = listed(entry('a', 5));
    cache.wrote(entry('a', 40));
    cache.apply('modified', entry('a', 40));

    cache.replace([entry('a', 3)], 4);

    assert.equal(versionOf(cache, 'a'), 3);
    assert.equal(cache.isCaughtUp(), true);
    assert.equal(cache.known, 4);
  });

  it('forgets the oldest changes, and tells those of one version together', () => {
    const cache = new Cache(() => undefined, { changes: 3, bytes: 1_000_000 });
    cache.replace([], 1);
    for (const version of [2, 3, 4, 4, 5]) cache.apply('modified', entry('a', version));

    assert.equal(cache.isExpired(2), true);
    assert.equal(cache.isExpired(3), false);
    assert.deepEqual(told(cache, 3), [
      ['modified', 4],
      ['modified', 4],
      ['modified', 5],
    ]);
    assert.equal(cache.after(3, 1).length, 2);
  });
});
