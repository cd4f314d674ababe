import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FairQueue } from '../../../builders/fair-queue.ts';
import type { Build } from '../../../crds/build.ts';
import { openDepot } from '../../../depot/open.ts';
import { startJob, type JobDeps } from '../../../reconcilers/build/job.ts';
import { serveGit } from '../../controller/sources/git-repository.ts';
import { tempDir } from '../../world/temp.ts';
import { withSubmodule } from '../git/git-world.ts';

describe('a Build with a submodule that needs credentials', () => {
  it('ends, and says what to do', async (t) => {
    const server = await serveGit(t, tempDir(t), { authorization: 'Basic bWU6eA==' });
    const { git, commit } = await withSubmodule(t, `${server.url}/inner.git`);
    const build = {
      metadata: { namespace: 'default', name: 'x', uid: 'uid' },
      spec: {
        ...{ sourceRef: { name: 'hello' }, url: `file://${git.bare}`, commit, ref: 'HEAD' },
        ...{ submodules: true, repositoryRef: { name: 'tools' } },
      },
      status: {},
    } as unknown as Build; // as much of it as is looked at
    const deps = {
      ...{ folder: tempDir(t), queue: new FairQueue(1), now: () => new Date() },
      blobs: await openDepot({ root: tempDir(t) }),
      store: { get: async () => ({ spec: { suites: [] } }) },
      secrets: async () => undefined,
    } as unknown as JobDeps; // it comes no further than to the checkout
    const job = startJob(build, deps, () => {});
    await job.done;

    assert.equal(job.failure, undefined, String(job.failure));
    assert.equal(job.outcome?.result, 'DependencyWait');
    assert.match(job.outcome.message, /a submodule can not be fetched.*could not read Username/);
    assert.match(job.outcome.message, /make that repository public/);
  });
});
