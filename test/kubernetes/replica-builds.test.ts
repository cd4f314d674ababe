/** Builds while several replicas run, each with a data directory of its own, on one cluster, bucket and engine. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { annotations } from '../../crds/object.ts';
import { eventually } from '../e2e/product.ts';
import { tinyPackage } from '../e2e/tiny-package.ts';
import { needsDocker } from '../world/docker.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { needsS3 } from '../world/s3.ts';
import { suiteScope } from '../world/temp.ts';
import { go, ReplicaWorld, waits, webhookToken } from './replica-world.ts';

const skip = needsKubernetes.skip || needsDocker.skip || needsS3.skip;
const longTakeOverMs = 60_000;

describe('builds of replicas', { skip }, () => {
  const scope = suiteScope();
  let world: ReplicaWorld;

  before(async () => {
    world = await ReplicaWorld.open(scope);
  });

  it('begin when a git host tells one that does not lead', async () => {
    const { leader, follower, git } = world;
    const commit = await git.commit(tinyPackage('told', waits));
    const body = JSON.stringify({ ref: 'refs/heads/main' });
    const signature = createHmac('sha256', webhookToken).update(body).digest('hex');

    const answer = await fetch(`${follower.url}/hooks/default/tiny`, {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` },
    });

    assert.equal(answer.status, 202, await answer.text());
    await world.running(commit); // by itself, the Source looks once an hour
    assert.ok(world.leads(leader) && !world.leads(follower));
  });

  it('are told of while they run, whichever replica is asked', async () => {
    const { leader, follower, git } = world;
    const { build } = await world.running((await git.git('rev-parse', 'HEAD')).trim());
    const ofLeader = await world.log(leader, build);
    const ofFollower = await world.log(follower, build);
    assert.deepEqual(ofFollower, { ...ofLeader, status: 200, isOver: 'false' });
    const end = Buffer.byteLength(ofLeader.text) - 6;
    const range = (from: number) => ({ range: `bytes=${from}-` });
    const part = await world.log(follower, build, range(end));
    assert.deepEqual([part.status, part.text], [206, ofLeader.text.slice(end)]);
    assert.equal((await world.log(follower, build, range(1 << 30))).status, 416);

    for (const authorization of ['', 'Bearer none']) {
      const refused = await world.log(follower, build, { authorization });
      assert.equal(refused.status, 401);
      const forged = { authorization, 'x-cairn-replica': 'forged' };
      assert.equal((await world.log(leader, build, forged)).status, 401);
    }
    const looped = await world.log(follower, build, { 'x-cairn-replica': 'forged' });
    assert.deepEqual([looped.status, looped.retryAfter], [503, '2']);
    assert.match(looped.text, /does not lead/);
  });

  it('are followed through one that does not lead', async () => {
    const { follower, git } = world;
    const { build, container } = await world.running((await git.git('rev-parse', 'HEAD')).trim());
    const following = follower.cli('logs', '-f', build.metadata.name);
    await go(container);
    const { status } = await world.finished(build);

    assert.equal(status.result, 'Succeeded', JSON.stringify(status));
    const { code, stdout, stderr } = await following;
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^begun$[^]*^cairn: Built$/m);
    await eventually(
      async () => (await world.log(follower, build)).isOver === 'true',
      'the follower knows',
    );
    assert.equal((await world.log(follower, build)).text, stdout);
  });

  for (const [how, signal] of [
    ['is killed', 'SIGKILL'],
    ['is stopped', 'SIGTERM'],
  ] as const) {
    it(`go on when their leader ${how}, and are followed all along`, async () => {
      const { leader, follower, git } = world;
      const commit = await git.commit(tinyPackage(how, waits));
      await world.reconcile();
      const { build, container } = await world.running(commit);
      const following = follower.cli('logs', '-f', build.metadata.name);
      await world.changeBase(how);
      const ended = leader.kill(signal);
      if (signal === 'SIGKILL') {
        await ended;
        const orphaned = await world.log(follower, build);
        assert.deepEqual([orphaned.status, orphaned.retryAfter], [503, '2']);
        assert.match(orphaned.text, /the replica that leads.* can't be reached/);
      }
      await eventually(() => world.leads(follower), 'the other one leads', longTakeOverMs);
      await ended;
      const isThere = async () => /^begun$/m.test((await world.log(follower, build)).text);
      await eventually(isThere, 'it goes on with the log', longTakeOverMs);
      await go(container);

      const { metadata, status, spec } = await world.finished(build);
      assert.equal(status.result, 'Succeeded', JSON.stringify(status));
      assert.deepEqual([metadata.uid, spec.attempt], [build.metadata.uid, 1]);
      const { code, stdout } = await following;
      assert.equal(code, 0);
      assert.equal((await world.log(follower, build)).text, stdout);
      for (const once of [/^cairn: building in /gm, /^begun$/gm, /^cairn: Built$/gm]) {
        assert.equal(stdout.match(once)?.length, 1, `${once} once in:\n${stdout}`);
      }
      await eventually(
        async () => (await world.containers()).length === 0,
        'no container is left',
        longTakeOverMs,
      );
      await world.replaceLeader();
    });
  }

  it('are cancelled by whoever leads by then', async () => {
    const { leader, follower, git } = world;
    const commit = await git.commit(tinyPackage('unwanted', waits));
    await world.reconcile();
    const { build } = await world.running(commit);
    const ended = leader.kill();
    assert.equal((await follower.cli('cancel', build.metadata.name)).code, 0);
    await ended;

    const { metadata, status } = await world.finished(build);
    assert.equal(status.result, 'Cancelled', JSON.stringify(status));
    assert.ok(metadata.annotations?.[annotations.cancel]);
    await eventually(async () => /^begun$/m.test((await world.log(follower, build)).text), 'a log');
  });
});
