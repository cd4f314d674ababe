import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { MirroredSuite } from '../../../crds/mirror.ts';
import { Archive } from '../../world/archive.ts';
import { createAptRoot } from '../../world/apt.ts';
import { exportPublic, testKey } from '../../world/keys.ts';
import { tempDir } from '../../world/temp.ts';
import { member, readToken, startServer, suite, type Fixture } from './fixture.ts';

function filesBelow(root: string): Record<string, Buffer> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return [path.relative(root, file), readFileSync(file)];
    }),
  );
}

interface Upstream {
  readonly tree: string;
  readonly armored: string;
  readonly keyring: string;
  readonly suites: readonly MirroredSuite[];
}

/** A real archive in the depot: signed, with one package. */
async function upstream(t: TestContext, server: Fixture, version = '1.0'): Promise<Upstream> {
  const root = tempDir(t);
  const key = await testKey('upstream');
  const archive = new Archive(root, { suite: 'bookworm', signWith: key, origin: 'Debian' });
  archive.add({ name: 'hello', version });
  await archive.publish({ validUntil: new Date('2026-01-01T00:00:00Z') });
  const armored = await exportPublic(key);
  const { sha256 } = server.blobs.put(Buffer.from(armored));
  const suites = [suite('bookworm', { origin: 'Debian', label: 'Debian' })];
  return { tree: await server.tree(filesBelow(root)), armored, keyring: sha256, suites };
}

async function read(server: Fixture, target: string, headers = {}): Promise<string> {
  const response = await server.get(target, headers);
  assert.equal(response.status, 200, target);
  return response.text();
}

describe('apt', () => {
  it('installs from a snapshot with the sources that it serves, though upstream has expired', async (t) => {
    const server = await startServer(t);
    const { tree, keyring, suites } = await upstream(t, server);
    const members = [member('deb.example.org/debian', tree, { keyring, suites: [...suites] })];
    await server.snapshot('frozen', { members });
    const apt = createAptRoot(tempDir(t), {
      config: await read(server, '/snapshots/frozen/apt.conf'),
    });
    apt.writeSources(await read(server, '/snapshots/frozen/client.sources'));
    const updated = await apt.update();
    assert.equal(updated.code, 0, updated.stderr);
    assert.equal(await apt.policy('hello'), '1.0');
    assert.ok((await apt.download('hello')).file);
    const dumped = await apt.apt('apt-config', ['dump', 'APT::Get::Always-Include-Phased-Updates']);
    assert.match(dumped.stdout, /"true"/);
  });

  it('follows a private environment with the token in auth.conf, and not without', async (t) => {
    let armored: string | undefined;
    const server = await startServer(t, { environmentKeys: async () => armored });
    const { tree, suites, ...made } = await upstream(t, server);
    armored = made.armored;
    const frozen = member('deb.example.org/debian', tree, { public: false, suites: [...suites] });
    await server.environment('prod', { members: [{ ...frozen, overlay: tree }] });
    const apt = createAptRoot(tempDir(t));
    const authorization = `Bearer ${readToken}`;
    const sources = await read(server, '/environments/prod/client.sources', { authorization });
    apt.writeSources(sources.replace(/^Suites:/m, 'Check-Valid-Until: no\nSuites:'));
    assert.match((await apt.update()).stderr, /401|Unauthorized/);
    const template = await read(server, '/environments/prod/auth.conf');
    assert.doesNotMatch(template, new RegExp(readToken));
    apt.writeAuth(template.replace('<read token here>', readToken));
    const updated = await apt.update();
    assert.doesNotMatch(updated.stderr, /^[EW]:/m);
    assert.ok((await apt.download('hello')).file);
    assert.equal(await read(server, '/environments/prod/key.asc'), armored);
  });

  it('takes a flat repository that nobody signs', async (t) => {
    const server = await startServer(t);
    const root = tempDir(t);
    const archive = new Archive(root, { suite: './', flat: true });
    archive.add({ name: 'hello', version: '2.0' });
    await archive.publish();
    const suites = [suite('./', { components: [] })];
    await server.mirror('flat', {
      tree: await server.tree(filesBelow(root)),
      url: 'http://f.example/r',
      suites,
    });
    const sources = await read(server, '/mirrors/flat/client.sources');
    assert.match(sources, /Nobody signs/);
    const apt = createAptRoot(tempDir(t));
    apt.writeSources(sources);
    const updated = await apt.update();
    assert.equal(updated.code, 0, updated.stderr);
    assert.ok((await apt.download('hello')).file);
  });

  it('reads the lines that let it find snapshots', async (t) => {
    const server = await startServer(t);
    const suites = [
      suite('s', { origin: 'Debian', label: 'Debian-Security' }),
      suite('u', { origin: 'Odd "Origin"; x', label: 'y' }),
    ];
    await server.mirror('debian', { tree: await server.tree({ a: 'a' }), suites });
    const config = await read(server, '/mirrors/debian/apt.conf');
    const apt = createAptRoot(tempDir(t), { config });
    const { stdout } = await apt.apt('apt-config', ['dump', 'Acquire::Snapshots::URI::Override']);
    const uri = `${server.url}/snapshots/@SNAPSHOTID@/@PATH@/`;
    assert.ok(
      stdout.includes(`Acquire::Snapshots::URI::Override::Origin::Debian "${uri}"`),
      stdout,
    );
    assert.ok(
      stdout.includes(`Acquire::Snapshots::URI::Override::Label::Debian-Security "${uri}"`),
    );
    // what has a meaning in apt.conf is escaped, here as apt-config prints it
    const odd = 'Acquire::Snapshots::URI::Override::Origin::Odd%20%22Origin%22;%20x';
    assert.ok(stdout.includes(`${odd} "${uri}"`), stdout);
    assert.equal(stdout.split(uri).length, 4, 'no other option was set');
  });
});

describe('client configuration', () => {
  it('has a stanza for each kind of suite, with the sources where they are mirrored', async (t) => {
    const server = await startServer(t);
    const tree = await server.tree({ a: 'a' });
    const suites = [
      suite('bookworm', { sources: true }),
      suite('bookworm-updates', { sources: true }),
      suite('other', { components: ['main', 'contrib'] }),
      suite('flat/', { components: [] }),
    ];
    await server.mirror('debian', { tree, suites });
    const text = await read(server, '/mirrors/debian/client.sources');
    const stanzas = text.split('\n\n').map((stanza) => stanza.replace(/^#.*\n/gm, ''));
    assert.equal(stanzas.filter((stanza) => stanza.includes('Types:')).length, 3);
    assert.match(
      text,
      /^Types: deb deb-src\nURIs: http:\S+\/deb\.example\.org\/debian\nSuites: bookworm bookworm-updates\nComponents: main\nArchitectures: amd64$/m,
    );
    assert.match(text, /^Suites: other\nComponents: main contrib$/m);
    assert.match(text, /^Suites: flat\/\nArchitectures/m);
  });

  it('uses the address that the client used, or the one that the operator gave', async (t) => {
    const server = await startServer(t);
    const external = await startServer(t, { externalUrl: 'https://apt.example.com/' });
    for (const one of [server, external])
      await one.mirror('m', { tree: await one.tree({ a: 'a' }) });
    assert.match(
      await read(server, '/mirrors/m/client.sources'),
      new RegExp(`URIs: ${server.url}/`),
    );
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const text = await read(external, '/mirrors/m/client.sources', forged);
    assert.match(text, /URIs: https:\/\/apt\.example\.com\/deb\.example\.org\/debian\n/);
    assert.match(await read(external, '/mirrors/m/auth.conf'), /^machine apt\.example\.com\/deb/m);
  });

  it('refuses a Host that is none', async (t) => {
    const { rawGet } = await import('./raw.ts');
    const server = await startServer(t);
    await server.mirror('m', { tree: await server.tree({ a: 'a' }) });
    for (const host of ['a b', 'x/y', 'x@y', 'x"y', '', 'a:b:c', '${IFS}']) {
      const answer = await rawGet(server.port, '/mirrors/m/client.sources', [`Host: ${host}`]);
      assert.equal(answer.status, 400, host);
    }
    for (const host of ['localhost:8080', '[::1]:80', 'apt.example.com']) {
      const answer = await rawGet(server.port, '/mirrors/m/client.sources', [`Host: ${host}`]);
      assert.ok(answer.body.includes(`URIs: http://${host}/`), host);
    }
  });

  it('needs the token only where everything is private', async (t) => {
    const server = await startServer(t, { environmentKeys: async () => undefined });
    const tree = await server.tree({ a: 'a' });
    const closed = member('closed.example', tree, { public: false, mirror: 'closed' });
    await server.snapshot('some', { members: [closed, member('open.example', tree)] });
    await server.snapshot('all', { members: [closed] });
    assert.match(await read(server, '/snapshots/some/client.sources'), /closed\.example/);
    assert.equal((await server.get('/snapshots/all/client.sources')).status, 401);
    const authorization = `Bearer ${readToken}`;
    await read(server, '/snapshots/all/client.sources', { authorization });
  });

  it('says that an environment is not signed yet', async (t) => {
    const server = await startServer(t);
    const tree = await server.tree({ a: 'a' });
    await server.environment('prod', {
      members: [{ ...member('x.example', tree), overlay: tree }],
    });
    for (const file of ['client.sources', 'key.asc']) {
      const response = await server.get(`/environments/prod/${file}`);
      assert.equal(response.status, 404);
      assert.match(await response.text(), /not been signed yet/);
    }
  });
});
