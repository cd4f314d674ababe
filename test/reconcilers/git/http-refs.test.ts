/** Refs over http without a process, on real git servers: the same as git itself lists, or nothing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createServer, request as relay, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { HttpRefs } from '../../../reconcilers/git/http-refs.ts';
import { listRefs, type Remote } from '../../../reconcilers/git/refs.ts';
import { GitRepository, serveGit } from '../../controller/sources/git-repository.ts';
import { mustRun } from '../../world/process.ts';
import { tempDir } from '../../world/temp.ts';
import { never } from './git-world.ts';

const files = { 'a.txt': 'one' };
const secret = { username: 'me', password: 'correct horse' };
const authorization = `Basic ${Buffer.from('me:correct horse').toString('base64')}`;

function asked(t: TestContext) {
  const http = new HttpRefs();
  t.after(() => http.close());
  return (url: string, own?: Remote['secret']) => http.list({ url, secret: own }, never);
}

const byGit = (t: TestContext, url: string) =>
  listRefs({ url, secret: undefined }, { folder: tempDir(t), signal: never });

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.git`; // it listens on TCP
}

describe('refs over http', () => {
  it('are what git lists: branches, the default one, and tags by their commits', async (t) => {
    const git = await GitRepository.create(t, files);
    await git.git('tag', 'light');
    await git.git('tag', '-a', '-m', 'x', 'annotated');
    await git.git('tag', '-a', '-m', 'x', 'of-a-tag', 'annotated');
    await git.commit({ 'a.txt': 'two' });
    await git.git('push', '--quiet', '--tags', git.bare, 'HEAD:refs/heads/b/c', 'HEAD:refs/pull/1');
    const { url, seen } = await serveGit(t, git.folder);
    const refs = await asked(t)(`${url}/config.git`);

    assert.equal(refs?.size, 6);
    assert.equal(seen.length, 2);
    assert.deepEqual(refs, await byGit(t, `${url}/config.git`));
  });

  it('are listed of an empty repository, and of one with other digests', async (t) => {
    const folder = tempDir(t);
    const [bare, other] = [join(folder, 'empty.git'), join(folder, 'other.git')];
    await mustRun('git', ['init', '--quiet', '--bare', bare]);
    await mustRun('git', ['init', '--quiet', '--bare', '--object-format=sha256', other]);
    const tree = (await mustRun('git', ['mktree'], { cwd: other, input: '' })).trim();
    const env = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.com' };
    const committer = { GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.com' };
    const commit = await mustRun('git', ['commit-tree', '-m', 'x', tree], {
      ...{ cwd: other, env: { ...env, ...committer } },
    });
    await mustRun('git', ['update-ref', 'refs/heads/x', commit.trim()], { cwd: other });
    const { url } = await serveGit(t, folder);
    const ask = asked(t);

    assert.deepEqual(await ask(`${url}/empty.git`), new Map());
    assert.deepEqual(await ask(`${url}/other.git/`), new Map([['refs/heads/x', commit.trim()]]));
  });

  it('are asked for with the credentials, on connections that stay', async (t) => {
    const git = await GitRepository.create(t, files);
    const sockets = new Set<unknown>();
    const { url, seen } = await serveGit(t, git.folder, {
      ...{ authorization, onRequest: ({ socket }) => sockets.add(socket) },
    });
    const ask = asked(t);
    for (let round = 0; round < 5; round += 1) {
      assert.equal((await ask(`${url}/config.git`, secret))?.size, 2);
    }
    assert.ok(sockets.size <= 2, `${sockets.size} connections`);
    assert.deepEqual(new Set(seen), new Set([authorization]));
    assert.equal(await ask(`${url}/config.git`, { ...secret, password: 'wrong' }), undefined);
    assert.equal(await ask(`${url}/config.git`), undefined);
    assert.equal(await ask(`${url}/config.git`, { identity: 'a key' }), undefined);
  });

  it('are found where the same server says that they are, as GitLab does', async (t) => {
    const git = await GitRepository.create(t, files);
    const { url, seen } = await serveGit(t, git.folder, { authorization });
    const asks: (string | undefined)[] = [];
    const front = await serve(t, (request, response) => {
      asks.push(request.url);
      const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
      if (pathname.startsWith('/config/')) {
        const location = `${pathname.replace('/config/', '/config.git/')}${search}`;
        response.writeHead(301, { location }).end('moved');
        return;
      }
      const { method, headers } = request;
      const onward = relay(`${url}${request.url}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    const refs = await asked(t)(front.replace('a.git', 'config/'), secret);

    assert.deepEqual([...(refs?.keys() ?? [])].toSorted(), ['HEAD', 'refs/heads/main']);
    assert.deepEqual(asks, [
      '/config/info/refs?service=git-upload-pack',
      '/config.git/info/refs?service=git-upload-pack',
      '/config.git/git-upload-pack',
    ]);
    assert.equal(seen.length, 2);
  });

  it('are left to git where a server is another one than expected', async (t) => {
    const git = await GitRepository.create(t, files);
    const old = await serveGit(t, git.folder, {
      onRequest: ({ headers }) => delete headers['git-protocol'],
    });
    const ask = asked(t);
    assert.equal(await ask(`${old.url}/config.git`), undefined);
    assert.equal((await byGit(t, `${old.url}/config.git`)).size, 2);
    const type = 'application/x-git-upload-pack-advertisement';
    let visitors = 0;
    const elsewhere = await serve(t, (_request, response) => {
      visitors += 1;
      response.end();
    });
    const answers: Readonly<Record<string, RequestListener>> = {
      page: (_request, response) => response.end('<h1>Welcome</h1>'),
      redirect: (request, response) => {
        const location = request.url?.replace('/a.git', elsewhere);
        response.writeHead(302, { location }).end();
      },
      loop: (request, response) => response.writeHead(301, { location: request.url }).end(),
      cut: (_request, response) =>
        response.writeHead(200, { 'content-type': type }).end('000eversion 2\n000cls-re'),
      odd: (_request, response) =>
        response.writeHead(200, { 'content-type': type }).end('000eversion 2\n0003zzzz'),
      none: (request) => request.socket.destroy(),
    };
    for (const [name, answer] of Object.entries(answers)) {
      assert.equal(await ask(await serve(t, answer), secret), undefined, name);
    }
    assert.equal(visitors, 0, 'credentials are for one server');
    for (const url of ['ssh://git@example.com/a', `file://${git.bare}`, 'http://me:pw@[::1]:1/a']) {
      assert.equal(await ask(url), undefined);
    }
  });

  it('have an end, whatever a server says', { timeout: 120_000 }, async (t) => {
    const commit = 'a'.repeat(40);
    let number = 0;
    const line = () => {
      const text = `${commit} refs/heads/${'x'.repeat(60_000)}${(number += 1)}\n`;
      return (text.length + 4).toString(16).padStart(4, '0') + text;
    };
    const endless: RequestListener = (request, response) => {
      const what = request.method === 'GET' ? 'advertisement' : 'result';
      response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${what}` });
      if (request.method === 'GET') {
        response.end('000eversion 2\n000cls-refs\n0000');
        return;
      }
      const more = () => {
        while (!response.destroyed && response.write(line()));
      };
      response.on('drain', more);
      more();
    };
    assert.equal(await asked(t)(await serve(t, endless)), undefined);
    assert.ok(number < 5000, `${number} refs were read`);
  });
});
