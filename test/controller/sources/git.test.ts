import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { access, chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { followGit, type GitOptions } from '../../../controller/sources/git.ts';
import { gitAccess } from '../../../reconcilers/git/access.ts';
import { originType } from '../../../controller/sources/origin.ts';
import { mustRun, run } from '../../world/process.ts';
import { tempDir } from '../../world/temp.ts';
import { until } from './folder.ts';
import { GitRepository, serveGit } from './git-repository.ts';

function follow(t: TestContext, options: Partial<GitOptions> & { location: string }) {
  const folder = join(tempDir(t), 'source');
  let changes = 0;
  const origin = followGit({
    intervalMs: 50,
    secrets: async () => undefined,
    folder,
    onChange: () => changes++,
    ...options,
  });
  t.after(() => origin.close());
  return {
    origin,
    folder,
    changes: () => changes,
    at: (commit: string) => until(() => origin.state().checkout?.revision === commit),
    fails: () => until(() => origin.state().failure !== undefined),
  };
}

/** The content of a file of the newest state. */
async function fileOf({ origin }: ReturnType<typeof follow>, file: string): Promise<string> {
  return readFile(join(origin.state().checkout?.root ?? '', file), 'utf8');
}

describe('a git repository', () => {
  it('is followed along its default branch', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': 'one' });
    const followed = follow(t, { location: repository.bare });
    await until(() => followed.origin.state().checkout !== undefined);
    assert.equal(await fileOf(followed, 'a.yaml'), 'one');

    const commit = await repository.commit({ 'b/b.yaml': 'two' });
    await followed.at(commit);

    assert.equal(await fileOf(followed, 'b/b.yaml'), 'two');
    await assert.rejects(fileOf(followed, 'a.yaml'), /ENOENT/);
    assert.equal(followed.changes(), 2);
  });

  it('is followed where a force-push takes it', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': 'one' });
    const followed = follow(t, { location: repository.bare, branch: 'main' });
    await until(() => followed.origin.state().checkout !== undefined);

    const commit = await repository.commit({ 'a.yaml': 'rewritten' }, '--amend');
    await followed.at(commit);

    assert.equal(await fileOf(followed, 'a.yaml'), 'rewritten');
  });

  it('keeps its last good state while its branch, or all of it, is gone', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': 'one' });
    const followed = follow(t, { location: repository.bare, branch: 'main' });
    await until(() => followed.origin.state().checkout !== undefined);

    await repository.git('push', '--quiet', repository.bare, 'HEAD:refs/heads/other');
    await mustRun('git', ['update-ref', '-d', 'refs/heads/main'], { cwd: repository.bare });
    await followed.fails();

    const { failure, checkout } = followed.origin.state();
    assert.equal(failure?.reason, 'ConfigUnreachable');
    assert.equal(failure?.message, `there is no branch main in ${repository.bare}`);
    assert.equal(await fileOf(followed, 'a.yaml'), 'one');
    assert.ok(checkout);

    const commit = await repository.commit({ 'a.yaml': 'back' });
    followed.origin.refresh();
    await followed.at(commit);
    assert.equal(followed.origin.state().failure, undefined);
  });

  it('says why it can not be read', async (t) => {
    const followed = follow(t, { location: join(tempDir(t), 'none.git') });
    await followed.fails();
    const { failure, checkout } = followed.origin.state();
    assert.match(failure?.message ?? '', /^can not read .*none.git: fatal: .*none.git/);
    assert.equal(checkout, undefined);
  });

  it('runs nothing of what is in it: no hooks, no filters, no submodules', async (t) => {
    const repository = await GitRepository.create(t, {
      'a.yaml': 'one',
      '.gitattributes': '*.yaml filter=evil\n',
      '.gitmodules': '[submodule "x"]\n\tpath = x\n\turl = file:///etc\n',
    });
    const trace = join(tempDir(t), 'ran');
    const hook = join(repository.bare, 'hooks', 'post-checkout');
    await writeFile(hook, `#!/bin/sh\ntouch ${trace}\n`);
    await chmod(hook, 0o755);
    await mustRun('git', ['config', 'filter.evil.smudge', `touch ${trace}`], {
      cwd: repository.bare,
    });

    const followed = follow(t, { location: repository.bare });
    await until(() => followed.origin.state().checkout !== undefined);

    assert.equal(await fileOf(followed, 'a.yaml'), 'one');
    await assert.rejects(access(trace));
  });

  it('leaves the files of two commits at most on the disk', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': '0' });
    const followed = follow(t, { location: repository.bare });
    for (const content of ['1', '2', '3'])
      await followed.at(await repository.commit({ 'a.yaml': content }));
    await until(async () => (await readdir(join(followed.folder, 'trees'))).length <= 2);
  });

  it('is no place for other protocols', async (t) => {
    const trace = join(tempDir(t), 'ran');
    const followed = follow(t, { location: `ext::sh -c "touch% ${trace}"` });
    await followed.fails();
    await assert.rejects(access(trace));
  });
});

describe('credentials', () => {
  const canary = 'canary-3f9a';

  it('reach the server as a header, and nobody else', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': 'one' });
    const basic = `Basic ${Buffer.from(`me:${canary}`).toString('base64')}`;
    for (const [secret, header] of [
      [{ username: 'me', password: canary }, basic],
      [{ bearerToken: canary }, `Bearer ${canary}`],
    ] as const) {
      const { url, seen } = await serveGit(t, repository.folder, { authorization: header });
      const followed = follow(t, {
        location: `${url}/config.git`,
        secret: { namespace: 'default', name: 's' },
        secrets: async () => secret,
      });
      await until(() => followed.origin.state().checkout !== undefined);

      assert.equal(await fileOf(followed, 'a.yaml'), 'one');
      assert.deepEqual([...new Set(seen)], [header]);
      const pattern = `${canary}|${basic.slice(6)}`;
      const { stdout: left } = await run('grep', ['-rlE', pattern, followed.folder]);
      assert.equal(left, '');
    }
  });

  it('are in no message and no argument when the server refuses them', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': 'one' });
    let processes = '';
    const { url } = await serveGit(t, repository.folder, {
      authorization: 'Bearer right',
      onRequest: () => (processes += argumentsOfAll()),
    });
    const followed = follow(t, {
      location: `${url}/config.git`,
      secret: { namespace: 'default', name: 's' },
      secrets: async () => ({ bearerToken: canary }),
    });
    await followed.fails();

    const { failure } = followed.origin.state();
    assert.match(failure?.message ?? '', /^can not read http:.*config.git: fatal: /);
    assert.doesNotMatch(failure?.message ?? '', /canary/);
    assert.ok(processes.includes('ls-remote'));
    assert.ok(!processes.includes(canary));
  });

  it('are asked for by name when they are missing', async (t) => {
    const repository = await GitRepository.create(t, { 'a.yaml': 'one' });
    const secret = { namespace: 'default', name: 'git' };
    const followed = follow(t, { location: repository.bare, secret });
    await followed.fails();
    assert.equal(followed.origin.state().failure?.reason, 'SecretMissing');
    assert.equal(followed.origin.state().failure?.message, 'there is no secret git');
  });

  it('for ssh are files that only Cairn can read, for as long as git runs', async (t) => {
    const folder = tempDir(t);
    const secret = { identity: canary, known_hosts: 'example.com ssh-ed25519 AAAA' };
    const { env, dispose } = await gitAccess('git@example.com:x.git', { secret, folder });

    const command = env['GIT_SSH_COMMAND'] ?? '';
    assert.match(command, /^ssh -F \/dev\/null -i '.*identity' .*StrictHostKeyChecking=yes/);
    assert.doesNotMatch(command, /canary/);
    const modes = await mustRun('find', [folder, '-type', 'f', '-printf', '%f %m\n']);
    assert.deepEqual(modes.trim().split('\n').sort(), ['identity 600', 'known_hosts 600']);

    await dispose();
    assert.deepEqual(await readdir(folder), []);
    await assert.rejects(
      gitAccess('git@x:y', { secret: { identity: 'x' }, folder }),
      /known_hosts/,
    );
    await assert.rejects(
      gitAccess('https://x', { secret: { username: 'x' }, folder }),
      /bearerToken/,
    );
    await assert.rejects(
      gitAccess('https://x', { secret: { bearerToken: 'a\nX-Evil: 1' }, folder }),
      /line breaks/,
    );
    assert.deepEqual(await readdir(folder), []);
  });
});

describe('a location', () => {
  it('is git when it is a URL, user@host:path, a bare repository, or ends in .git', async (t) => {
    const { bare, work } = await GitRepository.create(t, {});
    for (const location of [
      'https://a/b',
      'ssh://git@a/b',
      'git@a.example:b',
      'file:///a',
      bare,
      '/no/x.git',
    ]) {
      assert.equal(await originType(location), 'git', location);
    }
    for (const location of [work, '/no/such', './a@b']) {
      assert.equal(await originType(location), 'directory', location);
    }
    await symlink(bare, join(work, 'link'));
    assert.equal(await originType(join(work, 'link')), 'git');
  });
});

/** The arguments of every process of this machine. */
function argumentsOfAll(): string {
  let seen = '';
  for (const pid of readdirSync('/proc')) {
    try {
      if (/^\d+$/.test(pid)) seen += readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      // it has ended meanwhile
    }
  }
  return seen;
}
