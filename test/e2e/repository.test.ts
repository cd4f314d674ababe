/** What is published into a repository, as apt sees it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeUpload } from '../apt/source-upload.ts';
import type { Repository } from '../../crds/repository.ts';
import type { Upload } from '../../crds/upload.ts';
import { createAptRoot, type AptRoot } from '../world/apt.ts';
import { cairnCli, type Cairn } from '../world/cairn.ts';
import { controlFields, makeDeb, type PackageSpec } from '../world/deb.ts';
import { exportSecret, testKey } from '../world/keys.ts';
import { suiteScope, tempDir } from '../world/temp.ts';
import {
  environment,
  eventually,
  good,
  objectOf,
  product,
  until,
  type Product,
} from './product.ts';

const header = 'apiVersion: cairn.build/v1alpha1\n';

function repository(spec: object = {}): string {
  const fields = { public: true, suites: [{ name: 'stable' }, { name: 'next' }], ...spec };
  return `${header}kind: Repository\nmetadata: { name: tools, labels: { freeze: apps } }\nspec: ${JSON.stringify(fields)}\n`;
}

const set = `${header}kind: MirrorSet\nmetadata: { name: base }\nspec: { repositories: [{ name: tools }] }\n`;

function snapshot(name: string): string {
  return `${header}kind: Snapshot\nmetadata: { name: ${name} }\nspec: { mirrorSetRef: { name: base } }\n`;
}

const ready = '--for=condition=Ready';
/** It gives way to all else that runs here. */
const slowMs = 60_000;
const root = '/repositories/default/tools';

describe('a repository', () => {
  const scope = suiteScope();
  let world: Product;
  let cairn: Cairn;
  let folder: string;
  let apt: AptRoot;

  before(async () => {
    world = await product(scope);
    folder = tempDir(scope);
    world.write('repository.yaml', repository());
    world.write('set.yaml', set);
    cairn = await world.start();
    await until(cairn, 'repository/tools', ready);
    apt = await world.apt(cairn, root);
  });

  function deb(spec: PackageSpec): string {
    const { name, version, architecture = 'amd64' } = spec;
    const file = join(folder, `${name}_${version}_${architecture}.deb`);
    writeFileSync(file, makeDeb(spec, controlFields(spec)));
    return file;
  }

  const publish = (...args: readonly string[]) => cairn.cli('publish', 'tools', ...args);
  const state = async () => (await objectOf<Repository>(cairn, 'repositories', 'tools'))?.status;
  /** The status when nothing is to follow any more. */
  const settled = async () => {
    await eventually(
      async () => {
        const { fileLists, owedSince } = (await state())?.state ?? {};
        return fileLists !== undefined && owedSince === undefined;
      },
      'what takes long has followed',
      slowMs,
    );
    return state();
  };

  it('shows apt what was published when the command returns', async () => {
    const file = deb({ name: 'hello', version: '1.0' });

    const published = await publish(file);

    assert.equal(published.code, 0, published.output);
    assert.equal(published.stdout, 'published hello 1.0 amd64\n');
    good(await apt.update());
    assert.equal(await apt.policy('hello'), '1.0');
    const got = await apt.download('hello');
    good(got);
    assert.deepEqual(readFileSync(got.file ?? ''), readFileSync(file));
  });

  it('installs what depends on more of it, into any suite', async () => {
    const files = [
      deb({ name: 'app', version: '1.0', depends: 'libapp (>= 1)' }),
      deb({ name: 'libapp', version: '1.0', architecture: 'all' }),
    ];
    const published = await publish(...files, '--suite', 'next');
    assert.equal(published.code, 0, published.output);

    good(await apt.update());
    const planned = await apt.apt('apt-get', ['install', '--simulate', 'app']);
    good(planned);
    assert.match(planned.stdout, /^Inst libapp .*tools:next/m);
  });

  it('takes a .changes with all that it lists, sources too', async () => {
    const upload = makeUpload();
    const published = await publish(join(upload, 'x.changes'), '--suite', 'stable');
    assert.equal(published.code, 0, published.output);
    assert.match(published.stdout, /^published hello-src 1:1\.0\+x~1-2 source$/m);

    good(await apt.update());
    const source = await apt.source('hello-src');
    good(source);
    for (const file of source.files) {
      const name = file.slice(file.lastIndexOf('/') + 1);
      assert.deepEqual(readFileSync(file), readFileSync(join(upload, name)));
    }
    assert.equal(source.files.length, 3);
    assert.equal(await apt.policy('hello-x'), '1:1.0+x~1-2');
  });

  it('accepts the same bytes again, which changes nothing, and never others', async () => {
    const { state: before } = (await settled()) ?? {};
    const again = await publish(join(folder, 'hello_1.0_amd64.deb'));
    assert.equal(again.stdout, 'published hello 1.0 amd64\n');
    assert.deepEqual((await state())?.state, before);

    const other = await publish(deb({ name: 'hello', version: '1.0', content: 'other' }));
    assert.equal(other.code, 3, other.output);
    assert.match(other.stderr, /hello 1\.0 amd64 is there already.*with other bytes/);
    assert.deepEqual((await state())?.state, before);
  });

  it('refuses all of what it can not take, and says why', async () => {
    const { state: before } = (await settled()) ?? {};
    const fine = deb({ name: 'fine', version: '1.0' });
    const broken = join(folder, 'broken_1.0_amd64.deb');
    writeFileSync(broken, readFileSync(fine).subarray(0, 200));
    const foreign = deb({ name: 'foreign', version: '1.0', architecture: 'riscv64' });
    const notes = join(folder, 'notes.txt');
    writeFileSync(notes, 'notes');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[fine, broken], /broken_1\.0_amd64\.deb: /],
      [[fine, foreign], /riscv64, which suite stable does not have: it has amd64/],
      [[fine, '--suite', 'old'], /there is no suite old; there is stable, next/],
      [[fine, '--component', 'extra'], /no component extra; it has main/],
      [[fine, notes], /notes\.txt is neither a package nor a part of one/],
    ];
    for (const [args, message] of cases) {
      const refused = await publish(...args);
      assert.equal(refused.code, 3, refused.output);
      assert.match(refused.stderr, message);
    }
    assert.deepEqual((await state())?.state, before);
  });

  it('asks for the token before it is sent anything', async () => {
    const file = deb({ name: 'large', version: '1.0', size: 8_000_000 });
    const env = { CAIRN_SERVER: cairn.url, CAIRN_TOKEN: cairn.tokens.read };
    const refused = await cairnCli(['publish', 'tools', file], env);
    assert.equal(refused.code, 1, refused.output);
    assert.match(refused.stderr, /cannot create resource "uploads"/);
  });

  it('takes an Upload that somebody else has made', async () => {
    const file = deb({ name: 'by-hand', version: '1.0' });
    const content = readFileSync(file);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const headers = { authorization: `Bearer ${cairn.tokens.admin}` };
    const sent = await fetch(`${cairn.url}/api/v1/blobs/${sha256}?repository=tools`, {
      method: 'PUT',
      headers,
      body: content,
    });
    assert.equal(sent.status, 201);
    const { receipt } = (await sent.json()) as { receipt: string };
    const spec = {
      repositoryRef: { name: 'tools' },
      files: [{ name: 'x.deb', sha256, size: content.length, receipt }],
    };
    const upload = {
      apiVersion: 'cairn.build/v1alpha1',
      kind: 'Upload',
      metadata: { name: 'mine' },
      spec,
    };
    const made = await fetch(`${cairn.url}/apis/cairn.build/v1alpha1/namespaces/default/uploads`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(upload),
    });
    assert.equal(made.status, 201, await made.text());

    await until(cairn, 'upload/mine', ready);
    good(await apt.update());
    assert.equal(await apt.policy('by-hand'), '1.0');
    await eventually(async () => {
      const mine = await objectOf<Upload>(cairn, 'uploads', 'mine');
      return mine !== undefined && mine.metadata.labels?.['cairn.build/waits-for'] === undefined;
    }, 'the repository need not look at it any more');
  });

  it('lets go of packages, and of what was built from a source', async () => {
    const files = ['1.0', '1.1'].map((version) => deb({ name: 'leaving', version }));
    assert.equal((await publish(...files)).code, 0);
    good(await apt.update());
    assert.equal(await apt.policy('leaving'), '1.1');
    const url = `${cairn.url}${root}/pool/main/l/leaving/leaving_1.1_amd64.deb`;
    assert.equal((await fetch(url)).status, 200);

    const unpublish = (...args: readonly string[]) => cairn.cli('unpublish', 'tools', ...args);
    const one = await unpublish('leaving=1.1');
    assert.equal(one.stdout, 'removed leaving 1.1 amd64\n', one.output);
    good(await apt.update());
    assert.equal(await apt.policy('leaving'), '1.0');
    good(await apt.download('leaving'));
    assert.equal((await fetch(url)).status, 404);
    const again = await unpublish('leaving=1.1');
    assert.equal(again.code, 3, again.output);
    assert.match(again.stderr, /there is no package leaving 1\.1: its versions here are 1\.0/);
    assert.equal((await unpublish('leaving=1.1', '--ignore-missing')).code, 0);
    const source = await unpublish('hello-src', '--source', '--suite', 'stable');
    assert.match(source.stdout, /^removed hello-src 1:1\.0\+x~1-2 source$/m, source.output);
    assert.match(source.stdout, /^removed hello-x 1:1\.0\+x~1-2 all$/m);
    good(await apt.update());
    assert.equal(await apt.policy('hello-x'), undefined);
    assert.equal((await apt.source('hello-src')).code, 100);
    for (const args of [['leaving='], ['=1'], ['x', '--source', '--architecture=all'], []]) {
      assert.equal((await unpublish(...args)).code, 2, args.join(' '));
    }
  });

  it('is frozen by a snapshot, and promoted by an environment', async () => {
    world.write('base-1.yaml', snapshot('base-1'));
    world.write('environment.yaml', environment('base-1'));
    await until(cairn, 'environment/production', ready);
    const published = await publish(deb({ name: 'hello', version: '2.0' }));
    assert.equal(published.code, 0, published.output);
    world.write('base-2.yaml', snapshot('base-2'));
    await until(cairn, 'snapshot/base-2', ready);

    const client = await world.apt(cairn, '/environments/production');
    const frozen = await world.apt(cairn, '/snapshots/base-2');
    for (const [name, version] of [
      ['base-1', '1.0'],
      ['base-2', '2.0'],
      ['base-1', '1.0'],
    ] as const) {
      world.write('environment.yaml', environment(name));
      const serves = `--for=jsonpath={.status.published.snapshot}=${name}`;
      await until(cairn, 'environment/production', serves);
      good(await client.update());
      assert.equal(await client.policy('hello'), version);
    }
    good(await client.download('hello'));
    good(await frozen.update());
    assert.equal(await frozen.policy('hello'), '2.0');
  });

  it('is a member of the sets that select its labels', async () => {
    const spec = { selector: { matchLabels: { freeze: 'apps' } } };
    const text = `${header}kind: MirrorSet\nmetadata: { name: apps }\nspec: ${JSON.stringify(spec)}\n`;
    world.write('apps.yaml', text);
    await until(cairn, 'mirrorset/apps', '--for=jsonpath={.status.membersReady}=1/1');
    const { stdout } = await cairn.cli('get', 'mirrorset', 'apps', '-o', 'json');
    const [member] = JSON.parse(stdout).status.members;
    assert.deepEqual([member.name, member.kind, member.ready], ['tools', 'Repository', true]);
  });

  it('rotates its key while clients that know only the old one go on', async () => {
    const [old] = (await state())?.keys ?? [];
    world.write('repository.yaml', repository({ signing: { epoch: 2 } }));
    await eventually(async () => {
      const status = await state();
      return status?.state?.suites[0]?.signedBy.length === 2;
    }, 'both keys sign');

    good(await apt.update()); // its sources hold the old key
    const status = await state();
    assert.equal(status?.keys?.[1]?.fingerprint, old?.fingerprint);
    const fresh = await world.apt(cairn, root);
    good(await fresh.update());
  });

  it('goes on serving what it has when its key can not be used', async () => {
    const { state: before } = (await settled()) ?? {};
    const signing = { epoch: 2, keyRef: { name: 'signing', key: 'key.asc' } };
    world.write('repository.yaml', repository({ signing }));
    await until(cairn, 'repository/tools', '--for=condition=Ready=False');
    const missing = await publish(deb({ name: 'late', version: '1.0' }), '--timeout=1s');
    assert.equal(missing.code, 3, missing.output);
    assert.match(missing.stderr, /waits for Repository tools: SecretMissing: .*no secret signing/);

    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
    const dates = { created: daysAgo(2), expires: daysAgo(1) };
    const expired = await testKey('expired-repository', dates);
    mkdirSync(join(world.data, 'secrets/signing'), { recursive: true });
    writeFileSync(join(world.data, 'secrets/signing/key.asc'), await exportSecret(expired));
    await cairn.cli('reconcile', 'repository/tools');
    await until(
      cairn,
      'repository/tools',
      '--for=jsonpath={.status.conditions[0].reason}=SigningFailed',
    );
    assert.deepEqual((await state())?.state, before);
    good(await apt.update());

    world.write('repository.yaml', repository({ signing: { epoch: 2 } }));
    await until(cairn, 'repository/tools', ready);
    await eventually(async () => {
      good(await apt.update());
      return (await apt.policy('late')) === '1.0';
    }, 'what waited is published');
  });

  it('gives lines for sources.list that work', async () => {
    const status = await state();
    const client = createAptRoot(tempDir(scope));
    const key = await (await fetch(status?.keyUrl ?? '')).text();
    const keyring = client.writeKeyring('tools', key);
    const lines = `${status?.binarySourceList}\n${status?.sourceSourceList}\n`;
    client.writeSources(lines.replaceAll('/etc/apt/keyrings/tools.asc', keyring));
    good(await client.update());
    assert.equal(await client.policy('hello'), '2.0');
  });

  it('keeps its content from those who have no token when it is not public', async () => {
    world.write('repository.yaml', repository({ public: false, signing: { epoch: 2 } }));
    const url = `${cairn.url}${root}/dists/stable/InRelease`;
    await eventually(async () => (await fetch(url)).status === 401, 'it is private');

    const config = `${cairn.url}${root}/client.sources`;
    assert.equal((await fetch(config)).status, 401);
    const headers = { authorization: `Bearer ${cairn.tokens.read}` };
    const client = createAptRoot(tempDir(scope));
    client.writeSources(await (await fetch(config, { headers })).text());
    const auth = await (await fetch(`${cairn.url}${root}/auth.conf`)).text();
    client.writeAuth(auth.replace('<read token here>', cairn.tokens.read));
    good(await client.update());
    good(await client.download('hello'));
  });

  after(async () => {
    await cairn?.kill('SIGKILL');
  });
});
