import assert from 'node:assert/strict';
import { readdirSync, utimesSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { before, describe, it } from 'node:test';
import { Archive } from '../../world/archive.ts';
import { needsDocker } from '../../world/docker.ts';
import { exportPublic, testKey } from '../../world/keys.ts';
import { suiteScope, tempDir, type Scope } from '../../world/temp.ts';
import { startUpstream } from '../../world/upstream.ts';
import type { DeclaredArchive } from '../../../builders/docker/archives.ts';
import { openDockerBuilder, type DockerBuilder } from '../../../builders/docker/index.ts';
import type { PrepareRequest } from '../../../builders/docker/prepare.ts';
import {
  keep,
  limits,
  never,
  openBuilder,
  scriptRequest,
  startWorld,
  type World,
} from './world.ts';

describe('preparing', needsDocker, () => {
  const scope = suiteScope();
  let world: World;
  let builder: DockerBuilder;
  before(async () => {
    world = await startWorld(scope);
    builder = openBuilder(scope, world, 'cairn-test-prepare');
    scope.after(async () => void (await removeImages(world)));
  });

  /** A small archive of its own, which has `tool`. */
  async function startArchive(t: Scope, name: string) {
    const root = tempDir(t);
    const key = await testKey('archive');
    const archive = new Archive(root, { suite: 'stable', signWith: key });
    archive.add({ name: 'tool', version: '1.0', content: `tool of ${name}\n` });
    await archive.publish();
    const upstream = await startUpstream(root);
    t.after(() => upstream.close());
    const declared: DeclaredArchive = {
      uri: upstream.url,
      suites: ['stable'],
      components: ['main'],
      key: await exportPublic(key),
    };
    return { archive, upstream, declared };
  }

  function requestFor(
    declared: DeclaredArchive,
    relations: readonly string[] = ['tool'],
    more: Partial<PrepareRequest> = {},
  ): PrepareRequest {
    return {
      key: 'test',
      base: { kind: 'image', name: world.base },
      archives: [declared],
      dependencies: { relations },
      architecture: 'amd64',
      ...more,
    };
  }

  async function outputOf(image: string, script: string): Promise<string> {
    const kept = keep();
    const request = scriptRequest(image, script);
    const result = await builder.run(request, kept, never);
    assert.equal(result.result, 'Succeeded', kept.log);
    await builder.forget(request.id);
    return kept.log;
  }

  it('installs what a build depends on, once, and again when the archive has changed', async (t) => {
    const { archive, upstream, declared } = await startArchive(t, 'once');
    const request = requestFor(declared);

    const [first, same] = await Promise.all([
      builder.prepare(request, never),
      builder.prepare(request, never),
    ]);
    assert.ok(first.result === 'Prepared', JSON.stringify(first));
    assert.deepEqual(same, first);
    assert.equal(upstream.requestsFor(/\.deb$/).length, 1);
    assert.equal(first.made, true);
    assert.equal(first.base, world.base);
    assert.equal(await outputOf(first.image, 'cat /usr/share/doc/tool/content'), 'tool of once\n');

    upstream.forgetRequests();
    assert.deepEqual(await builder.prepare(request, never), { ...first, made: false });
    assert.deepEqual(
      upstream.requests.map(({ path }) => path),
      ['/dists/stable/InRelease'],
    );

    archive.add({ name: 'tool', version: '2.0', content: 'newer\n' });
    await archive.publish();
    const newer = await builder.prepare(request, never);
    assert.ok(newer.result === 'Prepared' && newer.made);
    assert.notEqual(newer.archives[0]?.digest, first.archives[0]?.digest);
    assert.equal(await outputOf(newer.image, 'cat /usr/share/doc/tool/content'), 'newer\n');
  });

  it('leaves no half of a base behind when it can’t be made', async (t) => {
    const { declared } = await startArchive(t, 'half');
    const filters = { label: ['build.cairn.image=toolbox', 'build.cairn.owner=cairn-test'] };
    const [toolbox] = await world.docker.listImages({ filters });
    assert.ok(toolbox);
    const base = { kind: 'archives', packages: ['tool'] } as const;
    const open = (name?: string) =>
      openDockerBuilder({
        engine: { address: world.address },
        owner: 'cairn-test-half',
        folder: tempDir(t),
        toolbox: name,
        concurrency: 1,
      });

    // the archive has no packages that every Debian has: mmdebstrap ends in the middle
    const failed = await open(toolbox.Id).prepare(requestFor(declared, [], { base }), never);
    assert.ok(failed.result === 'ChrootProblem', JSON.stringify(failed));
    assert.match(failed.message, /^mmdebstrap failed: /);
    const mine = { label: ['build.cairn.owner=cairn-test-half'] };
    assert.deepEqual(await world.docker.listImages({ all: true, filters: mine }), []);
    assert.deepEqual(await world.docker.listContainers({ all: true, filters: mine }), []);

    const missing = await open('no-toolbox').prepare(requestFor(declared, [], { base }), never);
    assert.deepEqual(missing, {
      result: 'ChrootProblem',
      message: 'Docker has no image no-toolbox, which bases are made with',
    });
  });

  it('says so when the archives can’t make a base, or have a broken package', async (t) => {
    const { archive, upstream, declared } = await startArchive(t, 'tools');
    const folder = tempDir(t);
    const own = openBuilder(t, world, 'cairn-test-tools', { folder });
    const request = requestFor(declared, [], { base: { kind: 'archives' } });
    assert.deepEqual(await own.prepare(request, never), {
      result: 'ChrootProblem',
      message:
        'no root file system can be made of them: the archives have no package mmdebstrap; ' +
        'add an archive that has it, or have Cairn use an image with mmdebstrap (--docker-toolbox)',
    });

    archive.add({ name: 'mmdebstrap', version: '1', depends: 'tool' });
    await archive.publish();
    upstream.fault(/tool_1/, { corrupt: true });
    const corrupt = await own.prepare(request, never);
    assert.ok(corrupt.result === 'ChrootProblem', JSON.stringify(corrupt));
    assert.match(corrupt.message, /tool_1\S+ is not the file that the archive has signed/);
    const mine = { label: ['build.cairn.owner=cairn-test-tools'] };
    assert.deepEqual(await world.docker.listImages({ all: true, filters: mine }), []);
  });

  it('makes what was not used for long again, since it is not kept for ever', async (t) => {
    const { declared } = await startArchive(t, 'pruned');
    const folder = tempDir(t);
    const own = openBuilder(t, world, 'cairn-test-prune', { folder });
    const request = requestFor(declared);
    const first = await own.prepare(request, never);
    assert.ok(first.result === 'Prepared', JSON.stringify(first));
    const none = { count: 0, ageDays: 30, bytes: 2 ** 40 };
    assert.equal((await own.sweep(new Set(), none)).images, 0, 'just used');

    const used = path.join(folder, 'used');
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
    for (const name of readdirSync(used)) utimesSync(path.join(used, name), hoursAgo, hoursAgo);

    assert.equal((await own.sweep(new Set(), none)).images, 1);
    assert.deepEqual(readdirSync(used), []);
    await assert.rejects(world.docker.getImage(first.image).inspect(), /no such image/i);
    assert.ok((await world.docker.getImage(world.base).inspect()).Id);
  });

  it('uses the declared archives and nothing else', async (t) => {
    const { declared } = await startArchive(t, 'only');
    const prepared = await builder.prepare(requestFor(declared), never);
    assert.ok(prepared.result === 'Prepared');

    const sources = await outputOf(
      prepared.image,
      'cat /etc/apt/sources.list; ls /etc/apt/sources.list.d',
    );
    const options = '[arch=amd64 signed-by=/etc/apt/cairn/archive-0.asc]';
    assert.equal(sources, `deb ${options} ${declared.uri}/ stable main\n`);

    const result = await builder.prepare(
      requestFor(declared, ['tool', 'cowsay', 'tool (>= 3)']),
      never,
    );
    assert.ok(result.result === 'DependencyWait', JSON.stringify(result));
    assert.deepEqual([...result.missing].sort(), ['cowsay', 'tool (>= 3)']);
    assert.match(result.message, /the declared archives don't have what it needs: /);
  });

  it('says which archive is not signed by its key', async (t) => {
    const { declared } = await startArchive(t, 'signed');
    const other = await exportPublic(await testKey('other'));
    const result = await builder.prepare(requestFor({ ...declared, key: other }), never);

    assert.ok(result.result === 'ChrootProblem', JSON.stringify(result));
    assert.match(result.message, /^http:\/\/127\.0\.0\.1:\d+ stable: .*signature.*key/i);
  });

  it('says which archive does not answer, and which one is not there', async (t) => {
    const { upstream, declared } = await startArchive(t, 'away');
    const missing = await builder.prepare(requestFor({ ...declared, suites: ['unstable'] }), never);
    assert.deepEqual(missing, {
      result: 'ChrootProblem',
      message: `${declared.uri} has no Release file for unstable`,
    });
    upstream.fault('/dists/stable/InRelease', { status: 503 });
    const broken = await builder.prepare(requestFor(declared), never);
    assert.deepEqual(broken, {
      result: 'ChrootProblem',
      message: `${declared.uri}/dists/stable/InRelease can't be read: it answers 503`,
    });
  });

  it('says so when a package is not what was signed, or does not install', async (t) => {
    const { archive, upstream, declared } = await startArchive(t, 'corrupt');
    upstream.fault(/\.deb$/, { corrupt: true });
    const corrupt = await builder.prepare(requestFor(declared), never);
    assert.ok(corrupt.result === 'ChrootProblem', JSON.stringify(corrupt));
    assert.match(corrupt.message, /apt-get build-dep failed: .*Hash Sum mismatch/);

    archive.add({ name: 'broken', version: '1', postinst: '#!/bin/sh\necho I fail >&2\nexit 3\n' });
    await archive.publish();
    upstream.clearFaults();
    const broken = await builder.prepare(requestFor(declared, ['broken']), never);
    assert.ok(broken.result === 'ChrootProblem', JSON.stringify(broken));
    assert.match(
      broken.message,
      /installed broken package post-installation script.* exit status 3/,
    );
  });

  it('does not let a package out of its container', async (t) => {
    let asked = 0;
    const controller = createServer((_, answer) => {
      asked += 1;
      answer.end();
    }).listen(0, '0.0.0.0');
    t.after(() => void controller.close());
    await once(controller, 'listening');
    const { port } = controller.address() as AddressInfo;
    const { archive, declared } = await startArchive(t, 'evil');
    const postinst = `#!/bin/sh
{ for file in /run/docker.sock ${world.address}; do test -e $file && echo REACHED $file; done
  mount -t tmpfs none /mnt && echo MOUNTED
  mknod /tmp/disk b 254 0 && echo DEVICE
  echo 1 >/proc/sys/kernel/sysrq && echo KERNEL
  ls /sys/class/net
  for way in "GET http://127.0.0.1:${port}/" "GET http://localhost:${port}/" "CONNECT 127.0.0.1:${port}"; do
    perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:3142") or die; print $s "$ARGV[0] HTTP/1.0\\r\\n\\r\\n"; print scalar <$s>' "$way"
  done; } >/found 2>/dev/null
exit 0
`;
    archive.add({ name: 'evil', version: '1', postinst });
    await archive.publish();
    const prepared = await builder.prepare(requestFor(declared, ['evil']), never);
    assert.ok(prepared.result === 'Prepared', JSON.stringify(prepared));

    const forbidden = 'HTTP/1.1 403 Forbidden\r\n';
    assert.equal(await outputOf(prepared.image, 'cat /found'), `lo\n${forbidden.repeat(3)}`);
    assert.equal(asked, 0);
  });

  it('sends credentials to their archive, and into no container', async (t) => {
    const { upstream, declared } = await startArchive(t, 'private');
    const secret = Buffer.from('me:hunter2').toString('base64');
    upstream.fault(/./, { requireBasicAuth: { user: 'me', password: 'hunter2' } });
    const refused = await builder.prepare(requestFor(declared), never);
    assert.equal(refused.result, 'ChrootProblem');

    const headers = { authorization: `Basic ${secret}` };
    const prepared = await builder.prepare(requestFor({ ...declared, headers }), never);
    assert.ok(prepared.result === 'Prepared', JSON.stringify(prepared));
    const found = await outputOf(
      prepared.image,
      `grep -rlsE '${secret.slice(0, 4)}[${secret.slice(4, 5)}]${secret.slice(5)}|hunter[2]' /etc /var /tmp /root /build /proc/self/environ || echo none`,
    );
    assert.equal(found, 'none\n');
    assert.doesNotMatch(
      JSON.stringify(await world.docker.getImage(prepared.image).inspect()),
      new RegExp(secret),
    );
  });

  it('does not follow an archive to where nobody sent it', async (t) => {
    const { upstream, declared } = await startArchive(t, 'redirect');
    const { upstream: elsewhere } = await startArchive(t, 'elsewhere');
    upstream.fault(/\.deb$/, {
      redirectTo: `${elsewhere.url}/pool/main/t/tool/tool_1.0_amd64.deb`,
    });
    const result = await builder.prepare(requestFor(declared), never);

    assert.ok(result.result === 'ChrootProblem', JSON.stringify(result));
    assert.equal(elsewhere.requests.length, 0);
  });

  it('refuses what nobody should have declared', async (t) => {
    const { declared } = await startArchive(t, 'odd');
    for (const request of [
      requestFor({ ...declared, suites: ['stable] x'] }),
      requestFor(declared, ['tool; reboot']),
      requestFor(declared, [], { architecture: '../x' }),
      requestFor(declared, [], { base: { kind: 'archives', packages: ['--hook=x'] } }),
      requestFor(declared, [], { base: { kind: 'image', name: 'localhost:1/none' } }),
    ]) {
      const result = await builder.prepare(request, never);
      assert.equal(result.result, 'ChrootProblem', JSON.stringify(request));
    }
  });

  describe('with a network', () => {
    const get = (url: string) =>
      `perl -MHTTP::Tiny -e '$r = HTTP::Tiny->new->get($ARGV[0]); print "$r->{status} ", length($r->{content}) < 200 ? $r->{content} : "much\\n"' ${url}`;

    it('of archives, a build reads what was declared', async (t) => {
      const { declared, upstream } = await startArchive(t, 'network');
      const { upstream: other } = await startArchive(t, 'other');
      const kept = keep();
      const request = scriptRequest(
        world.image,
        [
          get(`${upstream.url}/dists/stable/InRelease`),
          get(`${upstream.url}/none`),
          get(`${other.url}/dists/stable/InRelease`),
          get(`${upstream.url}/dists%2f..%2fx`),
        ].join('\n'),
        {
          network: 'Archives',
          archives: [declared],
          environment: { no_proxy: '', NO_PROXY: '' },
          limits,
        },
      );
      await builder.run(request, kept, never);

      const { host } = new URL(other.url);
      const lines = kept.log.split('\n');
      assert.deepEqual(lines.slice(0, 1), ['200 much']);
      assert.match(lines[1] ?? '', /^404/);
      assert.match(kept.log, new RegExp(`^403 cairn: ${host} is no archive of this build$`, 'm'));
      assert.match(kept.log, /^400 cairn: no encoded slashes or dots$/m);
      assert.equal(other.requests.length, 0);
    });

    it('that is full, a build reads what is open, also through a tunnel', async (t) => {
      const { declared, upstream } = await startArchive(t, 'open');
      const { upstream: closed } = await startArchive(t, 'closed');
      const kept = keep();
      const { host } = new URL(upstream.url);
      const tunnel = (to: string) =>
        `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:3142"); print $s "CONNECT $ARGV[0] HTTP/1.1\\r\\n\\r\\n"; print scalar <$s>; <$s>; print $s "GET /dists/stable/InRelease HTTP/1.0\\r\\n\\r\\n"; print scalar <$s>' ${to}`;
      const request = scriptRequest(
        world.image,
        [
          get(`${upstream.url}/dists/stable/InRelease`),
          get(`${closed.url}/dists/stable/InRelease`),
          tunnel(host),
          tunnel(new URL(closed.url).host),
        ].join('\n'),
        {
          network: 'Full',
          archives: [{ ...declared, uri: 'http://nowhere.example/' }],
          reach: { open: [host] },
          environment: { no_proxy: '', NO_PROXY: '' },
        },
      );
      await builder.run(request, kept, never);

      assert.deepEqual(kept.log.split(/\r?\n/), [
        '200 much',
        `403 cairn: ${new URL(closed.url).host} is not open to builds`,
        'HTTP/1.1 200 Connection established',
        'HTTP/1.1 200 OK',
        'HTTP/1.1 403 Forbidden',
        'connection: close',
        '',
      ]);
      assert.equal(closed.requests.length, 0);
    });
  });
});

/** What was made of archives that are gone now. */
async function removeImages({ docker }: World): Promise<void> {
  const filters = { label: ['build.cairn.owner=cairn-test-prepare'] };
  for (const { Id } of await docker.listImages({ filters }))
    await docker.getImage(Id).remove({ force: true });
}
