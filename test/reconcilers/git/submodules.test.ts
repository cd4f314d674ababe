import assert from 'node:assert/strict';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readTar } from '../../../builders/docker/tar.ts';
import { treeTar } from '../../../reconcilers/build/tree-tar.ts';
import {
  checkOut,
  SubmoduleUngiven,
  type CheckoutRequest,
} from '../../../reconcilers/git/checkout.ts';
import { CairnError } from '../../../crds/reasons.ts';
import { GitRepository, serveGit } from '../../controller/sources/git-repository.ts';
import { tempDir } from '../../world/temp.ts';
import { isInvalid, lay, never, withSubmodule } from './git-world.ts';

/** Fetched without credentials. */
const anonymous = { secret: undefined };

describe('a submodule', () => {
  it('on this machine is refused, however it is named', async (t) => {
    for (const url of ['file://INNER', 'INNER', '../inner.git', 'ext::sh -c id']) {
      const { git, commit } = await withSubmodule(t, url);
      await assert.rejects(
        lay(t, git, commit, { submodules: anonymous }),
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
    const { root } = await lay(t, parts.git, parts.commit, { submodules: anonymous, url });

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
    const request = { ref: 'HEAD', submodules: anonymous, folder: join(tempDir(t), 'x'), commit };
    await assert.rejects(
      checkOut({ ...request, url: `file://${git.bare}`, secret: undefined }, never),
      (error: Error & { reason?: string }) => {
        assert.equal(error.reason, 'SourceUnreachable');
        assert.ok(error instanceof SubmoduleUngiven);
        assert.match(error.message, /a submodule can not be fetched: .*could not read Username/);
        assert.match(error.message, /submoduleSecretRef, .*submodules: false$/);
        return true;
      },
    );
    assert.ok(server.seen.length > 0 && server.seen.every((one) => one === undefined));
  });

  it('of the same server gets the credentials that are for it, and one of another server none', async (t) => {
    const secret = { username: 'me', password: 'correct horse' };
    const authorization = `Basic ${Buffer.from('me:correct horse').toString('base64')}`;
    const shelf = tempDir(t);
    const [server, other] = [await serveGit(t, shelf, { authorization }), await serveGit(t, shelf)];
    const near = await withSubmodule(t, '../inner.git');
    symlinkSync(near.inner.bare, join(shelf, 'inner.git'));
    symlinkSync(near.git.bare, join(shelf, 'near.git'));
    const far = await withSubmodule(t, `${other.url}/other.git`);
    symlinkSync(far.inner.bare, join(shelf, 'other.git'));
    symlinkSync(far.git.bare, join(shelf, 'far.git'));
    const laid = ({ commit }: typeof near, name: string, of: CheckoutRequest['submodules']) => {
      const [url, folder] = [`${server.url}/${name}`, join(tempDir(t), 'x')];
      return checkOut({ url, secret, commit, ref: 'HEAD', submodules: of, folder }, never);
    };

    await assert.rejects(laid(near, 'near.git', anonymous), /submoduleSecretRef/);
    for (const [parts, name] of [
      [near, 'near.git'],
      [far, 'far.git'],
    ] as const) {
      const { root } = await laid(parts, name, { secret });
      assert.equal(readFileSync(join(root, 'lib/inner.txt'), 'utf8'), 'inner');
    }
    assert.ok(other.seen.length > 0 && other.seen.every((one) => one === undefined));
  });

  it('that is gone is told from a server that is', async (t) => {
    const shelf = tempDir(t);
    const server = await serveGit(t, shelf);
    const lost = await withSubmodule(t, `${server.url}/inner.git`);
    const unreachable = await withSubmodule(t, 'http://127.0.0.1:1/inner.git');
    const told = ({ git, commit }: typeof lost) =>
      lay(t, git, commit, { submodules: anonymous }).catch((error: unknown) => error);

    assert.ok((await told(lost)) instanceof SubmoduleUngiven);
    const away = await told(unreachable);
    assert.ok(away instanceof CairnError && !(away instanceof SubmoduleUngiven), String(away));
    assert.equal(away.reason, 'SourceUnreachable');
    // It is there, without that commit.
    const other = await GitRepository.create(t, { 'other.txt': 'other' });
    symlinkSync(other.bare, join(shelf, 'inner.git'));
    assert.ok((await told(lost)) instanceof SubmoduleUngiven);
  });
});
