/** How Sources follow git servers that are real, with what goes wrong there. */
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { annotations, conditionOf, type KubeObject } from '../../../crds/object.ts';
import { GitRepository, serveGit } from '../../controller/sources/git-repository.ts';
import { startSshd } from '../../controller/sources/ssh-server.ts';
import { eventually } from '../../e2e/product.ts';
import { mustRun } from '../../world/process.ts';
import { sourceWorld } from './source-world.ts';

const files = { 'a.txt': 'one' };

describe('a Source', () => {
  it('is told of a push, and makes the Build at once', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    world.secrets['hook'] = { token: 'a token of the test' };
    const webhook = { secretRef: { name: 'hook' } };
    await world.apply('hello', { url: `file://${git.bare}`, ref: { branch: 'main' }, webhook });
    await world.buildOf('hello', await head(git));
    const { status } = await world.read('hello');
    assert.equal(status.webhookUrl, 'https://cairn.example.com/hooks/default/hello');
    const condition = status.conditions?.find(({ type }) => type === 'Webhook');
    assert.deepEqual([condition?.status, condition?.reason], ['True', 'Succeeded']);

    // Nobody asks for minutes, as there is a webhook.
    for (const text of ['two', 'three']) {
      const commit = await git.commit({ 'a.txt': text });
      await world.annotate('hello', { [annotations.pushed]: text });
      await world.buildOf('hello', commit);
    }
  });

  it('follows by itself while its webhook has no token', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const spec = { url: git.bare, webhook: { secretRef: { name: 'hook' } } };
    await world.apply('hello', { ...spec, interval: '1s' });
    await world.buildOf('hello', await head(git));
    const { status } = await world.read('hello');
    const condition = status.conditions?.find(({ type }) => type === 'Webhook');

    assert.deepEqual([condition?.status, condition?.reason], ['False', 'SecretMissing']);
    await world.buildOf('hello', await git.commit({ 'a.txt': 'two' }));
  });

  it('shares each look with all others of its repository, however often they are woken', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    let looks = 0;
    const server = await serveGit(t, git.folder, {
      onRequest: (request) => {
        if (request.url?.includes('info/refs') === true) looks += 1;
      },
    });
    const names = Array.from({ length: 20 }, (_, index) => `source-${index}`);
    const url = `${server.url}/config.git`;
    for (const name of names) await world.apply(name, { url, interval: '1h' });
    const first = await head(git);
    for (const name of names) await world.buildOf(name, first);
    assert.equal(looks, 1);

    const commit = await git.commit({ 'a.txt': 'two' });
    await world.annotate('source-7', { [annotations.pushed]: 'once' });
    for (const name of names) await world.buildOf(name, commit);
    assert.equal(looks, 2, 'one that is told is enough for all');

    const start = performance.now();
    for (let round = 0; looks < 5; round += 1) {
      assert.ok(performance.now() - start < 120_000, 'it looks again');
      await setImmediate();
      for (const name of names) await world.annotate(name, { [annotations.pushed]: `${round}` });
    }
    const seconds = (performance.now() - start) / 1000;
    assert.ok(looks - 2 <= seconds + 1, `${looks - 2} looks in ${seconds} s`);
  });

  it('of another push than the one that is being looked at looks once more', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    let answer = Promise.resolve();
    const server = await serveGit(t, git.folder, { delay: () => answer });
    await world.apply('hello', { url: `${server.url}/config.git`, interval: '1h' });
    await world.buildOf('hello', await head(git));

    const held = Promise.withResolvers<void>();
    answer = held.promise;
    const requests = server.seen.length;
    await world.annotate('hello', { [annotations.reconcile]: 'one' });
    await eventually(() => server.seen.length > requests, 'it asks');
    const commit = await git.commit({ 'a.txt': 'two' });
    await world.annotate('hello', { [annotations.pushed]: 'two' });
    held.resolve();
    await world.buildOf('hello', commit);
    await eventually(
      async () => (await world.read('hello')).status.lastHandledReconcileAt === 'one',
      'the request is answered',
    );
  });

  it('reads a private repository with its credentials, and says nothing of them', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const right = Buffer.from('me:correct horse').toString('base64');
    const server = await serveGit(t, git.folder, { authorization: `Basic ${right}` });
    const url = `${server.url}/config.git`;
    world.secrets['login'] = { username: 'me', password: 'wrong horse' };
    await world.apply('hello', { url, secretRef: { name: 'login' }, interval: '1s' });
    await world.apply('anonymous', { url, interval: '1s' });

    const refused = await world.ready('hello', 'SourceUnreachable');
    assert.match(refused.message, /Authentication failed|could not read/);
    await world.ready('anonymous', 'SourceUnreachable');
    await world.apply('lost', { url, secretRef: { name: 'nowhere' } });
    assert.match((await world.ready('lost', 'SecretMissing')).message, /no secret nowhere/);
    world.secrets['login'] = { username: 'me', password: 'correct horse' };
    const build = await world.buildOf('hello', await head(git));
    assert.deepEqual(build.spec.secretRef, { name: 'login' });
    const told = JSON.stringify([await world.read('hello'), build, world.logs]);
    assert.ok(!told.includes('horse') && !told.includes(right));
  });

  it('reads a repository over ssh, of the host that it knows', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const [server, stranger] = [await startSshd(t), await startSshd(t)];
    const { port, identity, hostKey } = server;
    const url = `ssh://${userInfo().username}@127.0.0.1:${port}${git.bare}`;
    const otherKey = stranger.hostKey.replace(`:${stranger.port}`, `:${port}`);
    world.secrets['mine'] = { identity, known_hosts: otherKey };
    await world.apply('hello', { url, secretRef: { name: 'mine' }, interval: '1s' });

    const refused = await world.ready('hello', 'SourceUnreachable');
    assert.match(refused.message, /[Hh]ost key/);
    world.secrets['mine'] = { identity: stranger.identity, known_hosts: hostKey };
    await eventually(async () => {
      const { message } = await world.ready('hello', 'SourceUnreachable');
      return message.includes('Permission denied');
    }, 'the key is refused');
    world.secrets['mine'] = { identity, known_hosts: hostKey };
    await world.buildOf('hello', await head(git));
    assert.ok(!JSON.stringify([await world.read('hello'), world.logs]).includes('PRIVATE KEY'));
  });

  it('builds at once what waited, when it is declared otherwise, and else leaves that alone', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const spec = { url: `file://${git.bare}`, interval: '1s', path: 'x' };
    await world.apply('hello', { ...spec, submodules: true });
    const commit = await head(git);
    const first = await world.buildOf('hello', commit);
    const finishedAt = new Date().toISOString();
    await world.finish(first, { result: 'DependencyWait', message: 'no submodule', finishedAt });
    await world.ready('hello', 'BuildFailed');
    await world.apply('hello', { ...spec, submodules: false });
    await eventually(async () => (await world.builds()).length === 2, 'another Build is made');
    const second = await world.buildOf('hello', commit);
    await world.finish(second, { result: 'DependencyWait', message: 'no x', finishedAt });
    await world.ready('hello', 'BuildFailed');
    await world.annotate('hello', { [annotations.reconcile]: 'now' });
    await eventually(async () => {
      const { status } = await world.read('hello');
      return status.lastHandledReconcileAt === 'now';
    }, 'the Source has looked');

    assert.deepEqual([first.spec.submodules, second.spec.submodules], [true, false]);
    assert.deepEqual([second.spec.attempt, second.spec.counter], [1, 2]);
    assert.equal((await world.builds()).length, 2);
  });

  it('backs off from a server that fails, and recovers by itself', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const elsewhere = `${git.bare}.away`;
    renameSync(git.bare, elsewhere);
    await world.apply('hello', { url: `file://${git.bare}`, interval: '1s' });
    const failed = await world.ready('hello', 'SourceUnreachable');
    assert.match(failed.message, /does not (appear to be a git repository|exist)/);
    renameSync(elsewhere, git.bare);
    await world.buildOf('hello', await head(git));
    assert.equal((await world.ready('hello', 'Progressing')).status, 'False');
  });

  it('that stays as it is costs one run for each look, and says the same all the time', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    let [looks, runs] = [0, 0];
    const server = await serveGit(t, git.folder, {
      onRequest: (request) => {
        if (request.url?.includes('info/refs') === true) looks += 1;
      },
    });
    Object.defineProperty(world.secrets, 'login', {
      get: () => {
        runs += 1;
        return { username: 'me', password: 'x' };
      },
    });
    const spec = { url: `${server.url}/config.git`, interval: '1s' };
    await world.apply('hello', { ...spec, secretRef: { name: 'login' } });
    await world.finish(await world.buildOf('hello', await head(git)), published('1.0+1'));
    await world.ready('hello', 'Succeeded');
    await world.apply('lost', { url: git.bare, interval: '1s', ref: { branch: 'gone' } });
    await world.ready('lost', 'SourceUnreachable');
    await world.idle();
    const read = () => Promise.all(['hello', 'lost'].map((name) => world.read(name)));
    const before = await read();
    const [firstLook, firstRun, start] = [looks, runs, performance.now()];
    await eventually(() => looks >= firstLook + 6, 'it looks on', 120_000, 20);

    // Where a server is slow to answer, it is seen to be waiting for meanwhile, once for each interval.
    const intervals = (performance.now() - start) / 1000;
    assert.ok(runs - firstRun <= intervals + 2, `${runs - firstRun} runs in ${intervals} s`);
    assert.deepEqual(await read(), before);
  });

  it('does not wait for the servers of others', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const asked = new Set<Socket>();
    const dead = createServer((socket) => void asked.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      for (const socket of asked) socket.destroy();
      dead.close();
    });
    const { port } = dead.address() as AddressInfo; // it listens on TCP
    for (let number = 0; number < 40; number += 1) {
      await world.apply(`dead-${number}`, { url: `http://127.0.0.1:${port}/${number}.git` });
    }
    await eventually(() => asked.size > 0, 'the dead server is asked');

    const server = await serveGit(t, git.folder);
    await world.apply('hello', { url: `${server.url}/config.git` });
    await world.buildOf('hello', await head(git));
    assert.ok(asked.size <= 8, `${asked.size} connections to one server`);
  });

  it('follows a branch that is deleted, made again, and moved back', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const first = await head(git);
    const url = `file://${git.bare}`;
    await world.apply('hello', { url, ref: { branch: 'main' }, interval: '1s' });
    const one = await world.buildOf('hello', first);
    await world.finish(one, published('1.0+1'));

    await mustRun('git', ['update-ref', '-d', 'refs/heads/main'], { cwd: git.bare });
    const gone = await world.ready('hello', 'SourceUnreachable');
    assert.match(gone.message, /no branch main/);
    assert.equal((await world.read('hello')).status.version, '1.0+1');
    const second = await git.commit({ 'a.txt': 'two' });
    const two = await world.buildOf('hello', second);
    assert.equal(two.spec.lastVersion, '1.0+1');

    await git.git('push', '--quiet', '--force', git.bare, `${first}:refs/heads/main`);
    const back = await world.buildOf('hello', first);
    assert.notEqual(back.metadata.name, one.metadata.name, 'it gets a version above the others');
    assert.ok(back.spec.counter > two.spec.counter);
    await eventually(async () => {
      const other = (await world.builds()).find(
        ({ metadata }) => metadata.uid === two.metadata.uid,
      );
      return other?.metadata.annotations?.[annotations.cancel] === 'Superseded';
    }, 'what is not wanted any more is cancelled');
    const { length } = await world.builds();
    await world.annotate('hello', { [annotations.reconcile]: 'now' });
    await eventually(
      async () => (await world.read('hello')).status.lastHandledReconcileAt === 'now',
      'it has looked again',
    );
    assert.equal((await world.builds()).length, length);
  });

  it('follows the highest of many tags, also one that is moved', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const tag = async (...args: string[]) => {
      await git.git('tag', '--force', ...args);
      await git.git('push', '--quiet', '--force', '--tags', git.bare);
    };
    const odd = [
      'v1.9/x',
      'v1.%0a',
      'v1.$(id)',
      'v1.`id`',
      "v1.'",
      'v1.\u00e9',
      'release',
      'v1.-2',
    ];
    for (const name of odd) await tag(name);
    await tag('v1.2.0');
    const url = `file://${git.bare}`;
    await world.apply('stable', { url, ref: { semver: 'v1.*' }, interval: '1s' });
    await world.apply('fixed', { url, ref: { tag: 'v1.10.0' }, interval: '1s' });
    await world.ready('fixed', 'SourceUnreachable');
    await world.buildOf('stable', await head(git));

    const second = await git.commit({ 'a.txt': 'two' });
    await tag('-a', '-m', 'x', 'v1.10.0');
    await tag('v1.11.0-rc.1');
    const build = await world.buildOf('stable', second);
    assert.equal(build.spec.ref, 'refs/tags/v1.10.0');
    await world.buildOf('fixed', second);
    const third = await git.commit({ 'a.txt': 'three' });
    await tag('-a', '-m', 'moved', 'v1.10.0');
    assert.equal((await world.buildOf('stable', third)).spec.ref, 'refs/tags/v1.10.0');
    await world.buildOf('fixed', third);
  });

  it('of a repository with many refs, or none, takes no harm', async (t) => {
    const world = sourceWorld(t);
    const git = await GitRepository.create(t, files);
    const commit = await head(git);
    const lines = Array.from({ length: 20_000 }, (_, index) => `${commit} refs/heads/b/${index}`);
    writeFileSync(
      join(git.bare, 'packed-refs'),
      `# pack-refs with: peeled fully-peeled sorted\n${lines.toSorted().join('\n')}\n`,
    );
    await world.apply('many', { url: git.bare, ref: { branch: 'b/19999' } });
    await world.buildOf('many', commit);
    const empty = await GitRepository.create(t, files);
    await mustRun('git', ['update-ref', '-d', 'refs/heads/main'], { cwd: empty.bare });
    await world.apply('empty', { url: empty.bare });
    assert.match((await world.ready('empty', 'SourceUnreachable')).message, /default branch/);
    assert.equal(conditionOf((await world.read('many')) as KubeObject, 'Stalled'), undefined);
  });
});

async function head(git: GitRepository): Promise<string> {
  return (await git.git('rev-parse', 'HEAD')).trim();
}

function published(version: string) {
  const finishedAt = '2026-08-01T00:00:00Z';
  return { phase: 'Finished', result: 'Succeeded', sourceName: 'hello', version, finishedAt };
}
