/** What Builds have said and made, over HTTP. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { BuildStatus } from '../../../crds/build.ts';
import { apiVersion } from '../../../crds/object.ts';
import { tempDir, type Scope } from '../../world/temp.ts';
import { readToken, startServer, type Fixture } from './fixture.ts';

const authorization = `Bearer ${readToken}`;
const finishedAt = '2026-11-01T00:00:00Z';

/** A server that others can reach, and a Build of a repository that is public or not. */
async function world(t: Scope, isPublic: boolean) {
  const buildsFolder = tempDir(t);
  const server = await startServer(t, { externalUrl: 'https://apt.example.com', buildsFolder });
  const create = (kind: string, name: string, spec: object) =>
    server.store.create({ apiVersion, kind, metadata: { name, namespace: 'default' }, spec });
  await create('Repository', 'tools', { public: isPublic });
  const build = await create('Build', 'b', {
    ...{ sourceRef: { name: 's' }, url: 'https://git.example.org/s', commit: 'c'.repeat(40) },
    ...{ ref: 'refs/heads/main', maintainer: 'A <a@example.com>', attempt: 1, counter: 1 },
    ...{ repositoryRef: { name: 'tools' }, build: { base: { image: 'debian' } } },
  });
  const live = join(buildsFolder, build.metadata.uid, 'log');
  mkdirSync(join(live, '..'));
  const tell = async (status: Partial<BuildStatus>) => void (await server.setStatus(build, status));
  return { server, live, tell };
}

async function ask(server: Fixture, path: string, headers: Record<string, string> = {}) {
  const response = await server.get(`/builds/default/b/${path}`, headers);
  return { response, status: response.status, text: await response.text() };
}

/** Unlike `fetch`, it asks for no fresh copy. */
async function statusIf(server: Fixture, path: string, headers: Record<string, string>) {
  const asked = get(`${server.url}/builds/default/b/${path}`, { headers, agent: false });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]; // what it is documented to emit
  answer.resume();
  return answer.statusCode;
}

/** Gives the status of a Build that is through. */
function stored({ blobs }: Fixture): Partial<BuildStatus> {
  const put = (text: string) => blobs.put(Buffer.from(text));
  const provenance = put('{"envelope":1}');
  return {
    finishedAt,
    log: put('one\ntwo\n'),
    artifacts: [{ name: 'a_1.0+1~x_all.deb', ...put('a package') }],
    provenance: { ...provenance, signature: put('signed').sha256, signedBy: ['F'] },
  };
}

describe('what a Build has said and made', () => {
  it('is for those who may read its repository', async (t) => {
    const paths = [
      'log',
      'artifacts/a_1.0%2b1~x_all.deb',
      'provenance.json',
      'provenance.json.asc',
    ];
    for (const isPublic of [false, true]) {
      const { server, tell } = await world(t, isPublic);
      await tell(stored(server));
      for (const path of paths) {
        assert.equal((await ask(server, path)).status, isPublic ? 200 : 401, path);
        assert.equal((await ask(server, path, { authorization })).status, 200, path);
        const other = await server.get(`/builds/default/none/${path}`);
        assert.equal(other.status, 401, 'whether there is one is not told');
      }
    }
  });

  it('never changes, and says so', async (t) => {
    const { server, tell } = await world(t, false);
    await tell(stored(server));
    const path = 'artifacts/a_1.0+1~x_all.deb';
    const { response, text } = await ask(server, path, { authorization });

    assert.equal(text, 'a package');
    const { headers } = response;
    assert.equal(headers.get('cache-control'), 'private, max-age=31536000, immutable');
    assert.equal(headers.get('vary'), 'Authorization');
    assert.equal(headers.get('content-type'), 'application/vnd.debian.binary-package');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const etag = headers.get('etag') ?? '';
    assert.equal(await statusIf(server, path, { authorization, 'if-none-match': etag }), 304);
    const part = await ask(server, path, { authorization, range: 'bytes=2-' });
    assert.deepEqual([part.status, part.text], [206, 'package']);
    const beyond = await ask(server, path, { authorization, range: 'bytes=99-' });
    assert.equal(beyond.status, 416);
    assert.equal(beyond.response.headers.get('cache-control'), 'no-store');
    for (const odd of ['artifacts/b.deb', 'artifacts/..%2flog', 'provenance', 'plan.json']) {
      assert.equal((await ask(server, odd, { authorization })).status, 404, odd);
    }
  });

  it('can be followed while it is said, and is there at every moment', async (t) => {
    const { server, live, tell } = await world(t, true);
    const log = async (from: number) => {
      const { response, status, text } = await ask(server, 'log', { range: `bytes=${from}-` });
      return { status, text, isOver: response.headers.get('x-build-finished') };
    };
    assert.deepEqual(await ask(server, 'log').then(({ status, text }) => [status, text]), [
      200,
      '',
    ]);
    writeFileSync(live, 'one\n');
    assert.deepEqual(await log(0), { status: 206, text: 'one\n', isOver: 'false' });
    assert.equal((await log(4)).status, 416);

    await tell(stored(server));
    assert.deepEqual(await log(4), { status: 206, text: 'two\n', isOver: 'true' });
    rmSync(live);
    assert.deepEqual(await log(0), { status: 206, text: 'one\ntwo\n', isOver: 'true' });
    assert.equal((await log(8)).status, 416);
  });
});
