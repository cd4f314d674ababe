import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openSqliteStore, type SqliteStore } from '../../../controller/store/sqlite.ts';
import { tempDir } from '../../world/temp.ts';
import { applyContract } from './apply.contract.ts';
import { FossilKind, fossil, keyed, validateMadeUp, widget, WidgetKind } from './made-up.ts';
import { collect, rejects, storeContract, until, type OpenStore } from './store.contract.ts';

const kinds = [WidgetKind, FossilKind];
const options = { kinds, validate: validateMadeUp };

storeContract('SQLite in memory', async (t) => opened(t, ':memory:'));
applyContract('SQLite in memory', async (t) => opened(t, ':memory:'));
storeContract('SQLite in a file', async (t) => opened(t, fileFor(t)));
storeContract('SQLite in a file of an earlier run', async (t) => {
  const file = fileFor(t);
  const first = openSqliteStore(file, options);
  await first.create(fossil('earlier'));
  first.close();
  return opened(t, file);
});

describe('a store in a file', () => {
  it('of version 1 keeps who had applied what', async (t) => {
    const file = fileFor(t);
    const first = openSqliteStore(file, options);
    const given = widget('one', { size: 1, text: 'a' }, { labels: { mine: '1', other: '2' } });
    const made = await first.create(given);
    first.close();
    const db = new DatabaseSync(file);
    db.exec(`
      CREATE TABLE managed (
        kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, manager TEXT NOT NULL,
        labels TEXT NOT NULL, annotations TEXT NOT NULL,
        PRIMARY KEY (kind, namespace, name, manager)
      ) WITHOUT ROWID;
      INSERT INTO managed VALUES ('Widget', 'default', 'one', 'git', '["mine"]', '[]');
      UPDATE objects SET body = json_remove(body, '$.metadata.managedFields');
      ALTER TABLE inventory DROP COLUMN digest;
      DROP TABLE labels;
      PRAGMA user_version = 1;`);
    db.close();

    const store = await opened(t, file);
    const read = await store.get(keyed('one'));
    const { object } = await store.apply(widget('one', { size: 1 }), 'git');

    assert.equal(read?.metadata.resourceVersion, made.metadata.resourceVersion);
    assert.deepEqual(object.metadata.labels, { other: '2' });
    const { items } = await store.list('Widget', { labels: { other: '2' } });
    assert.equal(items.length, 1);
    assert.deepEqual(object.spec, { size: 1, colour: 'grey' });
  });

  it('of version 2 keeps its inventory, whose manifests were of no known version', async (t) => {
    const file = fileFor(t);
    const first = openSqliteStore(file, options);
    const old = { ...keyed('one'), uid: 'u', file: 'f.yaml' };
    await first.inventory('main').replace([old]);
    first.close();
    const db = new DatabaseSync(file);
    db.exec(`
      ALTER TABLE inventory DROP COLUMN digest;
      DROP TABLE labels;
      PRAGMA user_version = 2;`);
    db.close();

    const store = opened(t, file);

    assert.deepEqual(await store.inventory('main').list(), [old]);
    await store.inventory('main').replace([{ ...old, digest: 'd' }]);
    assert.deepEqual(await store.inventory('main').list(), [{ ...old, digest: 'd' }]);
  });

  it('of version 3 finds its objects by their labels', async (t) => {
    const file = fileFor(t);
    const first = openSqliteStore(file, options);
    await first.create(widget('one', { size: 1 }, { labels: { team: 'a', 'x.example/tier': '' } }));
    await first.create(widget('two', { size: 1 }, { labels: { team: 'b' } }));
    await first.create(widget('none', { size: 1 }));
    first.close();
    sql(file, 'DROP TABLE labels; PRAGMA user_version = 3', true);

    const store = opened(t, file);

    for (const labels of [{ team: 'a' }, { 'x.example/tier': '' }]) {
      const { items } = await store.list('Widget', { labels });
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name),
        ['one'],
      );
    }
  });

  it('holds after a restart what it held, and goes on counting', async (t) => {
    const file = fileFor(t);
    const first = openSqliteStore(file, options);
    const made = await first.create(widget('one'));
    await first.create(widget('two'));
    await first.delete(keyed('two'));
    await first.record({ regarding: keyed('one'), type: 'Normal', reason: 'A', message: 'b' });
    const before = await first.list('Widget');
    first.close();

    const second = opened(t, file);

    assert.deepEqual(await second.list('Widget'), before);
    assert.equal((await second.events(keyed('one'))).length, 1);
    const next = await second.create(widget('three'));
    assert.ok(Number(next.metadata.resourceVersion) > Number(before.resourceVersion));
    const seen = collect(second, t, made.metadata.resourceVersion);
    await until(() => seen.length >= 3);
    assert.deepEqual(
      seen.map(({ type, object }) => `${type} ${object.metadata.name}`),
      ['added two', 'deleted two', 'added three'],
    );
  });

  it('loses nothing that it has confirmed when its process is killed', async (t) => {
    const file = fileFor(t);
    const confirmed = await killedWhileWriting(file, 50);

    const store = opened(t, file);

    const { items } = await store.list('Widget');
    const names = new Set(items.map(({ metadata }) => metadata.name));
    assert.deepEqual(
      confirmed.filter((name) => !names.has(name)),
      [],
    );
  });

  it('gives old objects the defaults that a newer version brings', async (t) => {
    const file = fileFor(t);
    const old = openSqliteStore(file, { kinds });
    await old.create(widget('one', { size: 1 }));
    await old.create(widget('bad', { size: 'x' }));
    old.close();

    const store = opened(t, file);

    const one = await store.get(keyed('one'));
    assert.deepEqual([one?.spec, one?.metadata.generation], [{ size: 1, colour: 'grey' }, 1]);
    assert.deepEqual((await store.get(keyed('bad')))?.spec, { size: 'x' });
  });

  it('lets labels of an old object change although its spec is no longer good', async (t) => {
    const file = fileFor(t);
    const old = openSqliteStore(file, { kinds });
    const bad = await old.create(widget('bad', { size: 'x' }));
    old.close();
    const store = opened(t, file);

    const metadata = { ...bad.metadata, labels: { app: 'x' } };
    const labelled = await store.update({ ...bad, metadata });

    assert.deepEqual(labelled.metadata.labels, { app: 'x' });
    await rejects(store.update({ ...labelled, spec: { size: 'y' } }), 'Invalid', 422);
  });

  const foreign: readonly (readonly [string, (file: string) => void, RegExp])[] = [
    [
      'a text',
      (file) => writeFileSync(file, 'hello world, hello world'.repeat(99)),
      /not a database/,
    ],
    ['a database of another program', (file) => sql(file, 'CREATE TABLE t (a)'), /another program/],
    [
      'a file of a newer Cairn',
      (file) => sql(file, 'PRAGMA user_version = 7', true),
      /a newer Cairn/,
    ],
    ['a damaged file', damage, /damaged|malformed/],
  ];
  for (const [what, make, message] of foreign) {
    it(`refuses ${what} and says so`, (t) => {
      const file = fileFor(t);

      make(file);

      assert.throws(
        () => openSqliteStore(file, options),
        (error: Error) => error.message.includes(file) && message.test(error.message),
      );
    });
  }
});

describe('the history of a store', () => {
  const history = { changes: 100, bytes: 1_000_000 };

  it('forgets what is too old, and says so to whoever asks for it', async (t) => {
    const store = opened(t, ':memory:', { history });
    const old = await store.create(widget('old'));
    await churn(store, 300);

    const { signal } = new AbortController();
    const from = old.metadata.resourceVersion;
    const watched = store.watch('Widget', { from, signal });

    await rejects(watched[Symbol.asyncIterator]().next(), 'Expired', 410);
    const { resourceVersion } = await store.list('Widget');
    const seen = collect(store, t, resourceVersion);
    await store.create(widget('new'));
    await until(() => seen.length === 1);
  });

  it('does not expire a watch because objects of other kinds change', async (t) => {
    const store = opened(t, ':memory:', { history });
    await store.create(fossil('quiet'));
    const { resourceVersion: from } = await store.list('Fossil');
    await churn(store, 300);

    const { signal } = new AbortController();
    const next = store.watch('Fossil', { from, signal })[Symbol.asyncIterator]().next();
    await store.create(fossil('second'));

    assert.equal((await next).value?.object.metadata.name, 'second');
  });

  it('ends a watcher that is too slow instead of skipping changes', async (t) => {
    const store = opened(t, ':memory:', { history });
    const { signal } = new AbortController();
    const watcher = store.watch('Widget', { signal })[Symbol.asyncIterator]();
    await store.create(widget('first'));
    await watcher.next();

    await churn(store, 300);

    await rejects(watcher.next(), 'Expired', 410);
  });

  it('is bounded by its bytes as well', async (t) => {
    const store = opened(t, ':memory:', { history: { changes: 10_000, bytes: 200_000 } });
    const old = await store.create(widget('old'));
    await churn(store, 200, 'x'.repeat(5_000));

    const { signal } = new AbortController();
    const watched = store.watch('Widget', { from: old.metadata.resourceVersion, signal });

    await rejects(watched[Symbol.asyncIterator]().next(), 'Expired', 410);
  });
});

describe('any sequence of writes', () => {
  type Step = readonly [
    'create' | 'resize' | 'state' | 'label' | 'hold' | 'delete',
    number,
    number,
  ];
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.constantFrom('create', 'resize', 'state', 'label', 'hold', 'delete'),
    fc.nat(3),
    fc.nat(3),
  );

  it('is told to watchers completely, in order, from every point of it', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = openSqliteStore(':memory:', options);
        const live = collect(store, t, '0');
        const mirrored = new Map<string, unknown>();
        const marks: string[] = [];
        for (const one of steps) {
          await perform(store, one);
          marks.push((await store.list('Widget')).resourceVersion);
        }
        const last = Number(marks.at(-1) ?? 0);
        await until(() => Number(live.at(-1)?.object.metadata.resourceVersion ?? 0) === last);

        const versions = live.map(({ object }) => Number(object.metadata.resourceVersion));
        assert.deepEqual(
          versions,
          Array.from({ length: last }, (_, index) => index + 1),
        );
        for (const { type, object } of live) {
          if (type === 'deleted') mirrored.delete(object.metadata.name);
          else mirrored.set(object.metadata.name, object);
        }
        const { items } = await store.list('Widget');
        assert.deepEqual(
          new Map([...mirrored].sort()),
          new Map(items.map((object) => [object.metadata.name, object])),
        );
        for (const mark of new Set(marks)) {
          const resumed = collect(store, t, mark);
          await until(() => resumed.length >= live.length - Number(mark));
          assert.deepEqual(resumed, live.slice(Number(mark)));
        }
        store.close();
      }),
      { numRuns: 40 },
    );
  });

  async function perform(store: SqliteStore, [what, which, value]: Step): Promise<void> {
    const name = `w${which}`;
    const object = await store.get(keyed(name));
    if (what === 'create' && !object) await store.create(widget(name));
    if (!object) return;
    const { metadata } = object;
    const labels = { value: String(value) };
    const finalizers = value > 1 || metadata.deletionTimestamp ? [] : ['x.org/hold'];
    if (what === 'resize') await store.update({ ...object, spec: { size: value } });
    if (what === 'state')
      await store.updateStatus({ ...object, status: { observedGeneration: value } });
    if (what === 'label') await store.update({ ...object, metadata: { ...metadata, labels } });
    if (what === 'hold') await store.update({ ...object, metadata: { ...metadata, finalizers } });
    if (what === 'delete') await store.delete(keyed(name));
  }
});

describe('the events of a store', () => {
  it('keeps the newest fifty of an object', async (t) => {
    const store = opened(t, ':memory:');
    for (let number = 0; number < 60; number += 1) await store.record(event(`R${number}`));

    const events = await store.events(keyed('one'));

    assert.equal(events.length, 50);
    assert.equal(events.at(-1)?.reason, 'R59');
  });

  it('forgets them after a week, and bounds their text', async (t) => {
    let now = new Date('2026-08-01T00:00:00Z');
    const store = opened(t, ':memory:', { now: () => now });
    await store.record(event('Old'));
    now = new Date('2026-08-08T00:00:01Z');

    await store.record({ ...event('New'), message: 'x'.repeat(5_000) });

    const [only, ...others] = await store.events(keyed('one'));
    assert.deepEqual([only?.reason, only?.message.length, others], ['New', 1024, []]);
  });

  function event(reason: string) {
    return { regarding: keyed('one'), type: 'Normal', reason, message: 'm' } as const;
  }
});

describe('the inventory of a config source', () => {
  const entry = (name: string) => ({ ...keyed(name), uid: `uid-${name}`, file: `${name}.yaml` });

  it('is replaced as a whole, and survives a restart', async (t) => {
    const file = fileFor(t);
    const first = openSqliteStore(file, options);
    await first.inventory('main').replace([entry('b'), entry('a')]);
    await first.inventory('other').replace([entry('c')]);
    await first.inventory('main').replace([entry('d'), entry('b')]);
    first.close();

    const store = opened(t, file);

    assert.deepEqual(await store.inventory('main').list(), [entry('b'), entry('d')]);
    assert.deepEqual(await store.inventory('other').list(), [entry('c')]);
    assert.deepEqual(await store.inventory('none').list(), []);
  });

  it('stays as it was when a replacement fails half-way', async (t) => {
    const store = opened(t, ':memory:');
    await store.inventory('main').replace([entry('a')]);

    await assert.rejects(store.inventory('main').replace([entry('b'), entry('b')]));

    assert.deepEqual(await store.inventory('main').list(), [entry('a')]);
  });
});

function opened(t: Parameters<OpenStore>[0], file: string, more = {}): SqliteStore {
  const store = openSqliteStore(file, { ...options, ...more });
  t.after(() => store.close());
  return store;
}

function fileFor(t: Parameters<OpenStore>[0]): string {
  return path.join(tempDir(t), 'cairn.db');
}

async function churn(store: SqliteStore, writes: number, text = ''): Promise<void> {
  let object = await store.create(widget('churned'));
  for (let size = 2; size < writes; size += 1) {
    object = await store.update({ ...object, spec: { size, text } });
  }
}

function sql(file: string, statement: string, isOurs = false): void {
  if (isOurs) openSqliteStore(file, options).close();
  const db = new DatabaseSync(file);
  db.exec(statement);
  db.close();
}

/** Overwrites the middle of a file whose tables are filled. */
function damage(file: string): void {
  openSqliteStore(file, options).close();
  const db = new DatabaseSync(file);
  db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO objects SELECT 'Widget', 'default', 'w' || i, hex(randomblob(50)) FROM n`);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.alloc(4096 * 8, 0xa5), 0, 4096 * 8, 4096 * 40);
  closeSync(descriptor);
}

/** Starts a process that writes objects and names each once it is stored; kills it amid that. */
async function killedWhileWriting(file: string, count: number): Promise<string[]> {
  const quiet = '--disable-warning=ExperimentalWarning';
  const script = path.join(import.meta.dirname, 'writing-process.ts');
  const child = spawn(process.execPath, [quiet, script, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const confirmed: string[] = [];
  for await (const name of createInterface(child.stdout)) {
    confirmed.push(name);
    if (confirmed.length === count) child.kill('SIGKILL');
  }
  return confirmed;
}
