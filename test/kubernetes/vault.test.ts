/** Cairn's own Secrets on a real API server: keys and tokens. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, beforeEach, describe, it } from 'node:test';
import { KeyBook } from '../../controller/vault/key-book.ts';
import { tokensOf } from '../../controller/vault/token-book.ts';
import { KeyFolder } from '../../reconcilers/signing/key-store.ts';
import { startApiProxy } from '../world/api-proxy.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import { secretsOf, vaultWorld, type VaultWorld } from './vault-world.ts';
import { clusterOf } from './widgets.ts';

const now = new Date('2026-08-01T00:00:00Z');
const production = {
  namespace: 'default',
  owner: 'environment',
  name: 'production',
  epoch: 1,
} as const;

describe('keys and tokens on Kubernetes', needsKubernetes, () => {
  const scope = suiteScope();
  let world: VaultWorld;
  before(async () => {
    world = await vaultWorld(scope);
  });
  beforeEach(() => world.clear());

  it('makes each key once, however many replicas want it at the same time', async (t) => {
    const books = await Promise.all(Array.from({ length: 6 }, () => world.keyBook(t)));
    const names = ['a', 'b', 'c'].map((name) => ({ ...production, name }));

    const made = await Promise.all(
      books.flatMap((one) => names.map((name) => one.obtain(name, now))),
    );

    assert.equal(new Set(made).size, names.length);
    const { data, type, metadata } = await world.read('cairn-keys');
    assert.deepEqual(
      Object.keys(data),
      ['a', 'b', 'c'].map((e) => `default_${e}_epoch-1.asc`),
    );
    assert.equal(type, 'cairn.build/test');
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'cairn');
    const another = await world.keyBook(t);
    assert.deepEqual(
      await Promise.all(names.map((name) => another.find(name))),
      names.map((_, index) => made[index]),
    );
    assert.equal(await another.find({ ...production, epoch: 2 }), undefined);
    assert.doesNotMatch(world.logs.join(), /PRIVATE KEY/);
  });

  it('makes one secret of its own for all replicas, which no key is mixed up with', async (t) => {
    const books = await Promise.all(Array.from({ length: 4 }, () => world.keyBook(t)));
    const made = await Promise.all(books.map((one) => one.ownSecret('receipts')));

    assert.equal(new Set(made).size, 1);
    assert.match(made[0] ?? '', /^[A-Za-z0-9_-]{43}$/);
    const another = await world.keyBook(t);
    assert.equal(await another.ownSecret('receipts'), made[0]);
    assert.deepEqual(Object.keys((await world.read('cairn-keys')).data), ['_secret_receipts']);
    assert.doesNotMatch(world.logs.join(), new RegExp(made[0] ?? '-'));
  });

  it('keeps what people have added to the Secret', async (t) => {
    const first = await (await world.keyBook(t)).obtain(production, now);
    const patch = { metadata: { labels: { mine: 'yes' } }, data: { note: 'bWluZQ==' } };
    const contentType = 'application/merge-patch+json';
    await world.kubernetes.request('PATCH', `${secretsOf('default')}/cairn-keys`, patch, {
      contentType,
    });

    await (await world.keyBook(t)).obtain({ ...production, epoch: 2 }, now);

    const { data, metadata } = await world.read('cairn-keys');
    assert.equal(data['note'], 'bWluZQ==');
    assert.equal(metadata.labels?.['mine'], 'yes');
    assert.equal(await (await world.keyBook(t)).obtain(production, now), first);
  });

  it('makes no second key where the answer to the first one was lost', async (t) => {
    const proxy = await startApiProxy(t, world.kubernetes);
    const line = await world.book(t, 'cairn-keys', await clusterOf(world.kubernetes, proxy.url));
    const keys = new KeyBook([line]);
    for (const [method, epoch] of [
      ['POST', 1],
      ['PATCH', 2],
    ] as const) {
      proxy.fault((request) => request.method === method, { loseAnswer: true });

      const made = await keys.obtain({ ...production, epoch }, now);

      assert.equal(await (await world.keyBook(t)).find({ ...production, epoch }), made);
    }
  });

  it('shares keys out to several Secrets, and finds each again', async (t) => {
    const books = async () =>
      Promise.all(['cairn-keys', 'cairn-tokens'].map((name) => world.book(t, name)));
    const names = [...'abcdefgh'].map((name) => ({ ...production, name }));
    const keys = new KeyBook(await books());
    const made = await Promise.all(names.map((name) => keys.obtain(name, now)));

    const again = new KeyBook(await books());
    const found = await Promise.all(names.map((name) => again.find(name)));

    assert.deepEqual(found, made);
    for (const name of ['cairn-keys', 'cairn-tokens']) {
      const count = Object.keys((await world.read(name)).data).length;
      assert.ok(count > 0 && count < names.length, `${name} has ${count}`);
    }
  });

  it('finds room for the longest names', async (t) => {
    const keys = await world.keyBook(t);
    const long = { ...production, name: 'n'.repeat(253) };
    const made = await keys.obtain(long, now);

    assert.equal(await (await world.keyBook(t)).find(long), made);
    assert.notEqual(await keys.obtain({ ...long, namespace: 'other' }, now), made);
  });

  it('says so when the Secret is full', async (t) => {
    await world.write('default', 'cairn-keys', { full: 'x'.repeat(1024 * 1024 - 10) });
    const failure = /takes no more keys: Secret "cairn-keys" is invalid: data: Too long/;
    const obtaining = (await world.keyBook(t)).obtain(production, now);
    await assert.rejects(obtaining, { reason: 'SigningFailed', message: failure });
  });

  it('carries over the keys of a data directory, and leaves them there', async (t) => {
    const folder = path.join(tempDir(t), 'keys');
    const files = new KeyFolder(folder);
    const rotated = { ...production, epoch: 12 };
    const before = [await files.obtain(production, now), await files.obtain(rotated, now)];
    mkdirSync(path.join(folder, 'default/broken'));
    writeFileSync(path.join(folder, 'default/broken/epoch-x.asc'), '');

    const books = [await world.keyBook(t, files), await world.keyBook(t, files)];
    const [keys = assert.fail()] = books;
    await Promise.all(books.map((one) => one.find(production)));

    const after = [await keys.find(production), await keys.find(rotated)];
    assert.deepEqual(after, before);
    assert.deepEqual(readdirSync(path.join(folder, 'default/production')).sort(), [
      'epoch-1.asc',
      'epoch-12.asc',
    ]);
  });

  it('uses neither of two different keys', async (t) => {
    const files = new KeyFolder(tempDir(t));
    const stable = { ...production, name: 'stable' };
    await files.obtain(production, now);
    const kept = await files.obtain(stable, now);
    await (await world.keyBook(t)).obtain(production, now);

    const keys = await world.keyBook(t, files);

    const message = /production, epoch 1: .* default\/cairn-keys, are different keys: remove the/;
    await assert.rejects(keys.obtain(production, now), { reason: 'KeyUnusable', message });
    assert.equal(await keys.obtain(stable, now), kept);
    assert.match(world.logs.join(), /a key that signs is not clear/);
    assert.doesNotMatch(world.logs.join(), /PRIVATE KEY/);
  });

  it('has the same tokens for all replicas, those of the first data directory', async (t) => {
    const [folder, other] = [tempDir(t), tempDir(t)];
    writeFileSync(path.join(folder, 'admin'), 'token-of-before\n');
    writeFileSync(path.join(other, 'admin'), 'another-token\n');

    const first = await tokensOf(await world.book(t, 'cairn-tokens'), folder, world.log);
    const replicas = await Promise.all(
      [other, tempDir(t)].map(async (one) =>
        tokensOf(await world.book(t, 'cairn-tokens'), one, world.log),
      ),
    );

    assert.equal(first.admin, 'token-of-before');
    assert.equal(new Set(Object.values(first)).size, 5);
    for (const tokens of replicas) assert.deepEqual(tokens, first);
    assert.match(world.logs.join(), new RegExp(`does not count: .*${path.join(other, 'admin')}`));
    assert.doesNotMatch(world.logs.join(), /another-token|token-of-before/);
    assert.equal(readFileSync(path.join(other, 'admin'), 'utf8'), 'another-token\n');
  });

  it('says which right is missing', async (t) => {
    const cluster = await world.asCairn();
    const tokens = tokensOf(await world.book(t, 'cairn-tokens', cluster), tempDir(t), world.log);
    const denied =
      /can not keep the tokens in the Secret default\/cairn-tokens, which needs get, create and patch: .*"cairn" cannot get resource "secrets" in API group "" in the namespace "default"/;
    await assert.rejects(tokens, { reason: 'Forbidden', message: denied });
  });
});
