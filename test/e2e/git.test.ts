import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ConfigSource } from '../../crds/config-source.ts';
import { conditionOf, type KubeObject } from '../../crds/object.ts';
import type { Cairn } from '../world/cairn.ts';
import { mustRun } from '../world/process.ts';
import { tempDir } from '../world/temp.ts';
import {
  environment,
  eventually,
  good,
  mirror,
  mirrorSet,
  objectOf,
  product,
  snapshot,
  until,
} from './product.ts';

/** The config folder as a git checkout, and the bare repository that it is pushed to. */
async function repository(t: TestContext) {
  const world = await product(t);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  const bare = join(tempDir(t), 'config.git');
  await mustRun('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
  const git = (...args: string[]) =>
    mustRun('git', args, {
      cwd: world.config,
      env: {
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_AUTHOR_NAME: 'somebody',
        GIT_AUTHOR_EMAIL: 'somebody@example.com',
        GIT_COMMITTER_NAME: 'somebody',
        GIT_COMMITTER_EMAIL: 'somebody@example.com',
      },
    });
  await git('init', '--quiet', '--initial-branch=main');
  await git('remote', 'add', 'origin', bare);
  return {
    world,
    bare,
    git,
    /** Commits everything and pushes it; gives the commit. */
    async push(...options: string[]): Promise<string> {
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message=a change');
      await git('push', '--quiet', ...options, 'origin', 'HEAD');
      return (await git('rev-parse', 'HEAD')).trim();
    },
    start: (location = `file://${bare}`, ...args: string[]) =>
      world.start({ config: location, args: ['--config-interval', '1s', ...args] }),
    writeAll() {
      world.write('mirror.yaml', mirror(world));
      world.write('set.yaml', mirrorSet);
      world.write('base-1.yaml', snapshot('base-1'));
      world.write('environment.yaml', environment('base-1'));
    },
  };
}

function applied(cairn: Cairn, commit: string): Promise<void> {
  return until(cairn, 'configsource/config', `--for=jsonpath={.status.revision}=${commit}`);
}

function serves(cairn: Cairn, name: string): Promise<void> {
  return until(
    cairn,
    'environment/production',
    `--for=jsonpath={.status.published.snapshot}=${name}`,
  );
}

async function uidOf(cairn: Cairn, plural: string, name: string): Promise<string | undefined> {
  return (await objectOf<KubeObject>(cairn, plural, name))?.metadata.uid;
}

test('a commit promotes, a revert rolls back, and apt follows both', async (t) => {
  const { world, push, git, start, writeAll } = await repository(t);
  writeAll();
  const first = await push();
  const cairn = await start();
  await applied(cairn, first);
  await serves(cairn, 'base-1');
  const apt = await world.apt(cairn, '/environments/production');
  good(await apt.update());

  world.archive.add({ name: 'hello', version: '2.0' });
  await world.archive.publish();
  const refreshed = await cairn.cli('reconcile', 'mirror/demo', '--wait');
  assert.equal(refreshed.code, 0, refreshed.output);
  world.write('base-2.yaml', snapshot('base-2'));
  await push();
  await until(cairn, 'snapshot/base-2');
  world.write('environment.yaml', environment('base-2'));
  await push();
  await serves(cairn, 'base-2');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '2.0');

  await git('revert', '--no-edit', 'HEAD');
  await push();
  await serves(cairn, 'base-1');
  good(await apt.update());
  assert.equal(await apt.policy('hello'), '1.0');
});

test('a push with force is followed to wherever it leads', async (t) => {
  const { bare, world, push, git, start, writeAll } = await repository(t);
  writeAll();
  const first = await push();
  world.write('extra.yaml', snapshot('extra'));
  await push();
  const cairn = await start(bare); // a path leads to a bare repository as well
  await until(cairn, 'snapshot/extra', 'environment/production');
  const uid = await uidOf(cairn, 'snapshots', 'base-1');

  await git('reset', '--quiet', '--hard', first);
  world.write('other.yaml', snapshot('other'));
  await applied(cairn, await push('--force'));

  await until(cairn, 'snapshot/extra', '--for=delete');
  await until(cairn, 'snapshot/other');
  assert.equal(await uidOf(cairn, 'snapshots', 'base-1'), uid);
});

test('a branch and a folder of it are followed, and nothing else', async (t) => {
  const { bare, world, push, git, start, writeAll } = await repository(t);
  writeAll();
  await push();
  await git('checkout', '--quiet', '-b', 'staging');
  for (const name of ['base-1', 'environment']) rmSync(join(world.config, `${name}.yaml`));
  mkdirSync(join(world.config, 'apt'));
  await git('mv', 'mirror.yaml', 'set.yaml', 'keys', 'apt/');
  writeFileSync(join(world.config, 'outside.yaml'), snapshot('outside'));
  const commit = await push();

  const cairn = await start(`file://${bare}`, '--branch', 'staging', '--path', 'apt');
  await applied(cairn, commit);
  await until(cairn, 'mirrorset/base');
  world.write('apt/base-2.yaml', snapshot('base-2'));
  await push();
  await until(cairn, 'snapshot/base-2');

  assert.equal(await uidOf(cairn, 'snapshots', 'outside'), undefined);
  assert.equal(await uidOf(cairn, 'snapshots', 'base-1'), undefined);
});

test('a bad commit deletes nothing, and the next good one heals it', async (t) => {
  const { world, push, start, writeAll } = await repository(t);
  writeAll();
  await push();
  const cairn = await start();
  await serves(cairn, 'base-1');

  world.write('set.yaml', '\tthis: [is no YAML\n');
  world.write('environment.yaml', environment('base-1').replace('kind: Environment', 'kind: Env'));
  rmSync(join(world.config, 'base-1.yaml'));
  await applied(cairn, await push());
  const bad = await objectOf<ConfigSource>(cairn, 'configsources', 'config');
  assert.equal(bad && conditionOf(bad, 'Ready')?.reason, 'ConfigInvalid');
  assert.ok(await uidOf(cairn, 'snapshots', 'base-1'));
  await until(cairn, 'mirror/demo', 'mirrorset/base', 'snapshot/base-1', 'environment/production');

  writeAll();
  world.write('base-2.yaml', snapshot('base-2'));
  world.write('environment.yaml', environment('base-2'));
  rmSync(join(world.config, 'base-1.yaml'));
  await push();
  await serves(cairn, 'base-2');
  await until(cairn, 'snapshot/base-1', '--for=delete');
  await until(cairn, 'configsource/config');
});

test('while the repository is away nothing changes, and a restart changes nothing either', async (t) => {
  const { bare, world, push, start, writeAll } = await repository(t);
  writeAll();
  await push();
  let cairn = await start();
  await serves(cairn, 'base-1');
  const uid = await uidOf(cairn, 'environments', 'production');

  renameSync(bare, `${bare}.away`);
  await until(cairn, 'configsource/config', '--for=condition=Ready=False');
  await cairn.kill('SIGKILL');
  cairn = await start();
  await eventually(async () => {
    const source = await objectOf<ConfigSource>(cairn, 'configsources', 'config');
    return source !== undefined && conditionOf(source, 'Ready')?.reason === 'ConfigUnreachable';
  }, 'the source says that it is away');
  assert.equal(await uidOf(cairn, 'environments', 'production'), uid);
  const apt = await world.apt(cairn, '/environments/production');
  good(await apt.update());

  renameSync(`${bare}.away`, bare);
  world.write('base-2.yaml', snapshot('base-2'));
  await push();
  await until(cairn, 'snapshot/base-2', 'configsource/config');
});
