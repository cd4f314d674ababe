import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readTar } from '../../../builders/docker/tar.ts';
import { treeTar } from '../../../reconcilers/build/tree-tar.ts';
import { checkOut } from '../../../reconcilers/git/checkout.ts';
import { GitRepository, serveGit } from '../../controller/sources/git-repository.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { isInvalid, lay, never } from './git-world.ts';

describe('a submodule', () => {
  async function withSubmodule(t: Scope, url: string) {
    const git = await GitRepository.create(t, { 'a.txt': 'one' });
    const inner = await GitRepository.create(t, { 'inner.txt': 'inner' });
    const commit = (await inner.git('rev-parse', 'HEAD')).trim();
    writeFileSync(
      join(git.work, '.gitmodules'),
      `[submodule "lib"]\n\tpath = lib\n\turl = ${url.replace('INNER', inner.bare)}\n`,
    );
    await git.git('update-index', '--add', '--cacheinfo', `160000,${commit},lib`);
    await git.git('add', '.gitmodules');
    await git.git('commit', '--quiet', '-m', 'x');
    await git.git('push', '--quiet', '--force', git.bare, 'HEAD:refs/heads/main');
    return { git, inner, commit: (await git.git('rev-parse', 'HEAD')).trim() };
  }

  it('on this machine is refused, however it is named', async (t) => {
    for (const url of ['file://INNER', 'INNER', '../inner.git', 'ext::sh -c id']) {
      const { git, commit } = await withSubmodule(t, url);
      await assert.rejects(
        lay(t, git, commit, { submodules: true }),
        isInvalid(/a submodule/),
        url,
      );
      const { root } = await lay(t, git, commit);
      assert.deepEqual(readdirSync(join(root, 'lib')), []);
    }
  });

  it('of the same server is found by a relative name', async (t) => {
    const parts = await withSubmodule(t, '../inner.git');
    const shelf = tempDir(t);
    symlinkSync(parts.git.bare, join(shelf, 'outer.git'));
    symlinkSync(parts.inner.bare, join(shelf, 'inner.git'));
    const server = await serveGit(t, shelf);
    const url = `${server.url}/outer.git`;
    const { root } = await lay(t, parts.git, parts.commit, { submodules: true, url });

    assert.equal(readFileSync(join(root, 'lib/inner.txt'), 'utf8'), 'inner');
    const names: string[] = [];
    for await (const { header, content } of readTar(treeTar(root))) {
      names.push(header.name);
      for await (const _ of content);
    }
    assert.deepEqual(names, ['.gitmodules', 'a.txt', 'lib', 'lib/inner.txt']);
  });

  it('that wants credentials gets none, and that is said', async (t) => {
    const shelf = tempDir(t);
    const server = await serveGit(t, shelf, { authorization: 'Basic bWU6eA==' });
    const { git, commit } = await withSubmodule(t, `${server.url}/inner.git`);
    const request = { ref: 'HEAD', submodules: true, folder: join(tempDir(t), 'x'), commit };
    await assert.rejects(
      checkOut({ ...request, url: `file://${git.bare}`, secret: undefined }, never),
      (error: Error & { reason?: string }) => {
        assert.equal(error.reason, 'SourceUnreachable');
        assert.match(error.message, /a submodule can not be fetched: .*could not read Username/);
        return true;
      },
    );
    assert.ok(server.seen.length > 0 && server.seen.every((one) => one === undefined));
  });
});
