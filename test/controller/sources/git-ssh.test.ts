import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { followGit } from '../../../controller/sources/git.ts';
import { tempDir } from '../../world/temp.ts';
import { until } from './folder.ts';
import { GitRepository } from './git-repository.ts';
import { startSshd } from './ssh-server.ts';

function follow(t: TestContext, location: string, secret: Record<string, string>) {
  const folder = join(tempDir(t), 'source');
  const origin = followGit({
    location,
    secret: { namespace: 'default', name: 'deploy-key' },
    secrets: async () => secret,
    intervalMs: 50,
    folder,
    onChange: () => {},
  });
  t.after(() => origin.close());
  return origin;
}

test('a git repository is followed over ssh, with a deploy key and a known host', async (t) => {
  const repository = await GitRepository.create(t, { 'a.yaml': 'one' });
  const { port, identity, hostKey } = await startSshd(t);
  const location = `ssh://${userInfo().username}@127.0.0.1:${port}${repository.bare}`;

  const origin = follow(t, location, { identity, known_hosts: hostKey });
  await until(() => origin.state().checkout !== undefined);
  const commit = await repository.commit({ 'a.yaml': 'two' });
  await until(() => origin.state().checkout?.revision === commit);

  const { root } = origin.state().checkout ?? { root: '' };
  assert.equal(readFileSync(join(root, 'a.yaml'), 'utf8'), 'two');
});

test('an ssh server that is not the known one is refused', async (t) => {
  const repository = await GitRepository.create(t, { 'a.yaml': 'one' });
  const { port, identity } = await startSshd(t);
  const stranger = await startSshd(t);
  const location = `ssh://${userInfo().username}@127.0.0.1:${port}${repository.bare}`;
  const known_hosts = stranger.hostKey.replace(`:${stranger.port}`, `:${port}`);

  const origin = follow(t, location, { identity, known_hosts });
  await until(() => origin.state().failure !== undefined);

  const { failure, checkout } = origin.state();
  assert.equal(failure?.reason, 'ConfigUnreachable');
  assert.match(failure.message, /[Hh]ost key/);
  assert.ok(!failure.message.includes(identity));
  assert.equal(checkout, undefined);
});
