/** When what takes long is made: a Repository in the real loop, at a time that is set by hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog } from '../../../controller/log.ts';
import { startLoop } from '../../../controller/loop/controller.ts';
import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import { kinds } from '../../../crds/index.ts';
import { apiVersion, conditionOf } from '../../../crds/object.ts';
import { CairnError } from '../../../crds/reasons.ts';
import type { Repository } from '../../../crds/repository.ts';
import { waitsForLabel } from '../../../crds/upload.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { repositoryReconciler } from '../../../reconcilers/repository/index.ts';
import { owedAt } from '../../../reconcilers/repository/owed.ts';
import { publish } from '../../../reconcilers/repository/publish.ts';
import { Receipts } from '../../../reconcilers/repository/receipts.ts';
import { makeSlowFiles } from '../../../reconcilers/repository/slow-files.ts';
import { KeyFolder } from '../../../reconcilers/signing/key-store.ts';
import { HeldClock } from '../../controller/loop/held-clock.ts';
import { eventually } from '../../e2e/product.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { deb } from './repository-world.ts';

const second = 1000;
const minute = 60 * second;

/** Slow files wait at a gate, if it is closed, and are counted. */
async function loopWorld(t: Scope) {
  const blobs = await openBlobs(tempDir(t));
  const store = openSqliteStore(':memory:', { kinds, validate: validateManifest });
  const keyStore = new KeyFolder(tempDir(t));
  const receipts = new Receipts(keyStore);
  const clock = new HeldClock();
  let now = Date.now() - 86_400_000;
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  let begun = 0;
  const publisher: Parameters<typeof repositoryReconciler>[0]['publisher'] = {
    publish: (request) => publish(request, blobs),
    async makeSlowFiles(request) {
      begun += 1;
      await gate.promise;
      return makeSlowFiles(request, blobs, { now: () => performance.now(), xz: undefined });
    },
  };
  const start = () =>
    startLoop({
      store,
      reconcilers: [
        repositoryReconciler({
          publisher,
          keyStore,
          receipts,
          secrets: async () => undefined,
          baseUrl: () => 'http://cairn.example',
          isUrlComing: () => false,
        }),
      ],
      log: createLog({ format: 'json', level: 'error', write: () => {} }),
      now: () => new Date(now),
      clock,
    });
  let loop = start();
  t.after(async () => {
    gate.resolve();
    await stop();
    store.close();
  });

  async function stop(): Promise<void> {
    const stopped = loop.stop(0);
    await clock.pass(0);
    await stopped;
  }

  const key = { kind: 'Repository', namespace: 'default', name: 'tools' };
  const repository = async () => (await store.get(key)) as Repository; // it was asked for by its kind
  const state = async () => (await repository()).status.state;

  async function pass(ms: number): Promise<void> {
    now += ms;
    await clock.pass(ms);
    await loop.idle();
  }
  await store.apply({ apiVersion, kind: key.kind, metadata: { name: key.name }, spec: {} }, 'test');
  await eventually(async () => (await state()) !== undefined, 'there is a repository');

  return {
    repository,
    state,
    pass,
    get begun() {
      return begun;
    },
    closeGate: () => void (gate = Promise.withResolvers()),
    openGate: () => gate.resolve(),
    failAtGate: (error: Error) => gate.reject(error),
    /** As `kill -9`, as far as memory goes, and a start. */
    async restart(): Promise<void> {
      await stop();
      gate = Promise.withResolvers();
      gate.resolve();
      loop = start();
      await loop.idle();
    },
    /** Until it is published; time does not pass. */
    async upload(name: string): Promise<void> {
      const [[file, content] = ['', Buffer.of()]] = Object.entries(deb({ name, version: '1' }));
      const blob = blobs.put(content);
      const of = { namespace: key.namespace, repository: key.name, sha256: blob.sha256 };
      const files = [{ name: file, ...blob, receipt: await receipts.give(of) }];
      const metadata = { name, labels: { [waitsForLabel]: key.name } };
      const spec = { repositoryRef: { name: key.name }, files };
      await store.apply({ apiVersion, kind: 'Upload', metadata, spec }, 'test');
      const packages = (await state())?.packages ?? 0;
      await eventually(async () => (await state())?.packages === packages + 1, `${name} is there`);
      await loop.idle();
    },
    settled: () =>
      eventually(async () => {
        await pass(0);
        const now = await state();
        return now?.fileLists !== undefined && now.owedSince === undefined;
      }, 'nothing is owed'),
  };
}

describe('what takes long', () => {
  it('is made when nothing has come for a while, once', async (t) => {
    const world = await loopWorld(t);
    await world.upload('one');
    await world.pass(4 * second);
    await world.upload('two');
    const { date: uploaded } = (await world.state()) ?? {};
    assert.equal((await world.state())?.changedAt, uploaded);
    await world.pass(4 * second);
    assert.equal(world.begun, 0);

    await world.pass(2 * second);

    await world.settled();
    const { date, changedAt } = (await world.state()) ?? {};
    assert.equal(changedAt, uploaded, 'nothing else can be installed by it');
    await world.pass(minute);
    assert.equal(world.begun, 1);
    assert.equal((await world.state())?.date, date);
  });

  it('holds up nothing that comes meanwhile', async (t) => {
    const world = await loopWorld(t);
    world.closeGate();
    await world.pass(6 * second);
    await eventually(() => world.begun === 1, 'it is being made');

    await world.upload('one');
    await world.pass(second);
    await world.upload('two');

    world.openGate();
    await eventually(async () => {
      await world.pass(second);
      return (await world.state())?.fileLists !== undefined;
    }, 'what was made is published');
    assert.ok((await world.state())?.owedSince, 'it was made for a state before');
    await world.pass(6 * second);
    await world.settled();
    assert.equal((await world.state())?.packages, 2);
  });

  it('is made again after a restart, whenever that was', async (t) => {
    const world = await loopWorld(t);
    world.closeGate();
    await world.pass(6 * second);
    await eventually(() => world.begun === 1, 'it is being made');

    await world.restart();

    await world.pass(second);
    await world.settled();
    assert.equal(world.begun, 2);
  });

  it('that can not be made makes the repository not ready, and is tried again', async (t) => {
    const world = await loopWorld(t);
    world.closeGate();
    await world.pass(6 * second);
    await eventually(() => world.begun === 1, 'it is being made');
    world.failAtGate(new CairnError('DepotFull', 'no space left'));
    await eventually(async () => {
      await world.pass(0);
      return conditionOf(await world.repository(), 'Ready')?.reason === 'DepotFull';
    }, 'it says so');

    world.closeGate();
    world.openGate();
    await world.upload('one'); // nothing is held up by it

    await eventually(async () => {
      await world.pass(10 * second);
      return (await world.state())?.owedSince === undefined;
    }, 'it is made after all');
    assert.equal(conditionOf(await world.repository(), 'Ready')?.status, 'True');
  });
});

describe('when what takes long is due', () => {
  const date = '2026-11-21T12:00:00Z';
  const published = Date.parse(date);
  const state = {
    ...{ tree: 'a', date, inputs: 'a', generation: 1, files: 1, bytes: 1, packages: 0 },
    changedAt: date,
    owedSince: date,
    ...{ binaryPackages: 0, sourcePackages: 0, counts: [], keyring: 'a', suites: [] },
  };

  it('waits for a quiet moment, the longer the larger a repository is', () => {
    const at = (packages: number) => owedAt({ ...state, packages }, { isQuiet: true });
    assert.equal(at(0), published + 5 * second);
    assert.equal(at(60_000), published + 65 * second);
  });

  it('waits no longer than ten minutes since something is owed', () => {
    const owedSince = '2026-11-21T11:51:00Z';
    assert.equal(owedAt({ ...state, owedSince }, { isQuiet: false }), published + minute);
    const large = { ...state, owedSince, packages: 100_000 };
    assert.equal(owedAt(large, { isQuiet: true }), published + minute);
  });

  it('is never when nothing is owed', () => {
    const { owedSince: _, ...complete } = state;
    assert.equal(owedAt({ ...complete, fileLists: 'a' }, { isQuiet: true }), undefined);
  });
});
