/** What a Build says while it is tried again, after something was in its way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FairQueue } from '../../../builders/fair-queue.ts';
import type { Build } from '../../../crds/build.ts';
import { CairnError } from '../../../crds/reasons.ts';
import { openDepot } from '../../../depot/open.ts';
import { Builds, type BuildDeps } from '../../../reconcilers/build/index.ts';
import type { RunContext } from '../../../reconcilers/reconciler.ts';
import { eventually } from '../../e2e/product.ts';
import { tempDir } from '../../world/temp.ts';

describe('a Build that is tried again', () => {
  it('tells of what was in its way at first, and then that it waits for its turn', async (t) => {
    const queue = new FairQueue(1);
    let now = Date.now();
    const store = { get: async () => undefined }; // there is no Repository
    const builder = { noteOf: async () => undefined };
    const deps = {
      ...{ folder: tempDir(t), queue, store, builder, now: () => new Date(now) },
      ...{ blobs: await openDepot({ root: tempDir(t) }), baseUrl: () => undefined },
    } as unknown as BuildDeps; // it comes no further than to its Repository
    const builds = new Builds(deps);
    t.after(() => builds.close());
    let build = {
      metadata: { namespace: 'default', name: 'x', uid: 'uid', generation: 1 },
      spec: {
        ...{ commit: 'a'.repeat(40), sourceRef: { name: 'hello' } },
        ...{ repositoryRef: { name: 'tools' }, build: { base: { image: 'debian:trixie' } } },
      },
      status: {},
    } as unknown as Build; // as much of it as is looked at
    const context = { poke: () => {}, now: deps.now } as unknown as RunContext; // the same
    const { reconcile } = builds.reconciler();
    const told = async () => {
      const { status, message, failure } = await reconcile(build, context);
      build = { ...build, status: { ...status, observedGeneration: 1 } };
      return `${status.phase}: ${failure instanceof CairnError ? failure.message : message}`;
    };
    const missing = 'Preparing: there is no Repository tools';
    await eventually(async () => (await told()) === missing, 'something is in its way');

    const leave = await queue.acquire('another', new AbortController().signal);
    await eventually(() => told().then(() => queue.size.waiting === 1), 'it is tried again');
    assert.equal(await told(), missing);
    now += 10_000;
    assert.equal(await told(), `Queued: Queued: ${'a'.repeat(12)}`);

    leave();
    await eventually(async () => (await told()) === missing, 'it is in its way still');
  });
});
