import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import { EnvironmentKind } from '../../../crds/environment.ts';
import { kinds } from '../../../crds/index.ts';
import { apiVersion } from '../../../crds/object.ts';
import { SnapshotKind, type FrozenMember } from '../../../crds/snapshot.ts';
import { snapshotDiffer } from '../../../reconcilers/snapshot/diff-worker-pool.ts';
import { testDepot } from './frozen.ts';

const index = 'dists/stable/main/binary-amd64/Packages';
const { signal } = new AbortController();

/** base-1 and base-2 differ in one package; production serves base-1; base-3 is not taken yet. */
async function world(t: TestContext) {
  const depot = await testDepot(t);
  const store = openSqliteStore(':memory:', { kinds });
  t.after(() => store.close());
  const put = async (kind: string, name: string, spec: object, status: object) => {
    const object = await store.create({ apiVersion, kind, metadata: { name }, spec });
    return store.updateStatus({ ...object, status });
  };
  const member = (version: string) => depot.freeze({ [index]: [{ name: 'aa', version }] });
  const snapshot = (name: string, members: readonly FrozenMember[] | undefined) =>
    put(
      SnapshotKind.kind,
      name,
      { mirrorSetRef: { name: 'base' } },
      { ...(members && { members }) },
    );
  const first = await snapshot('base-1', [await member('1')]);
  await snapshot('base-2', [await member('2')]);
  await snapshot('base-3', undefined);
  const published = {
    snapshot: 'base-1',
    snapshotUid: first.metadata.uid,
    members: [await member('1')],
  };
  await put(EnvironmentKind.kind, 'production', { snapshotRef: { name: 'base-1' } }, {
    published,
  } as object);
  await put(EnvironmentKind.kind, 'base-2', { snapshotRef: { name: 'base-1' } }, {
    published,
  } as object);
  const diff = snapshotDiffer({ store, depot: { root: depot.root } });
  return { diff, depot, store, uid: first.metadata.uid };
}

describe('a diff between references', () => {
  it('takes names, uids and environments, and prefers the snapshot of a bare name', async (t) => {
    const { diff, uid } = await world(t);
    const brief = async (from: string, to: string) => {
      const { from: a, to: b, summary } = await diff(from, to, signal);
      return [a.environment ?? a.snapshot, b.environment ?? b.snapshot, summary.upgraded];
    };
    assert.deepEqual(await brief('base-1', 'base-2'), ['base-1', 'base-2', 1]);
    assert.deepEqual(await brief(uid, 'snapshot/base-2'), ['base-1', 'base-2', 1]);
    assert.deepEqual(await brief('production', 'base-2'), ['production', 'base-2', 1]);
    assert.deepEqual(await brief('environment/production', 'environment/base-2'), [
      'production',
      'base-2',
      0,
    ]);
  });

  it('names what an unknown reference may have meant', async (t) => {
    const { diff } = await world(t);
    await assert.rejects(diff('base-1', 'prodcution', signal), {
      reason: 'DependencyNotReady',
      message:
        'no snapshot or environment is called "prodcution"; did you mean environment/production?',
    });
    await assert.rejects(
      diff('snapshot/production', 'base-1', signal),
      /is called "snapshot\/production"/,
    );
  });

  it('says that a snapshot is not taken yet', async (t) => {
    const { diff } = await world(t);
    await assert.rejects(diff('base-1', 'base-3', signal), {
      reason: 'DependencyNotReady',
      message: 'snapshot base-3 is not taken yet',
    });
  });

  it('tells failures of its thread by their reason', async (t) => {
    const { diff, depot, store } = await world(t);
    const { items } = await store.list(SnapshotKind.kind);
    const { members = [] } = (items[1]?.status ?? {}) as { members?: FrozenMember[] };
    await depot.blobs.remove(members[0]?.tree ?? '');
    await assert.rejects(diff('base-1', 'base-2', signal), {
      name: 'CairnError',
      reason: 'BlobMissing',
    });
  });

  it('stops when it is told to, and goes on with the next ones', async (t) => {
    const { diff } = await world(t);
    const stop = new AbortController();
    const stopped = [1, 2, 3].map(() => diff('base-1', 'base-2', stop.signal));
    const other = diff('base-1', 'base-2', signal);
    stop.abort(new Error('enough'));
    for (const each of stopped) await assert.rejects(each, { message: 'enough' });
    assert.equal((await other).summary.upgraded, 1);
  });
});
