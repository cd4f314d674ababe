import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { planPackaging } from '../../packaging/plan.ts';
import type { PackagingPlan } from '../../packaging/request.ts';
import { packagingScripts } from '../../packaging/script.ts';
import { root } from '../repository.ts';
import { run } from '../world/process.ts';
import { tempDir } from '../world/temp.ts';
import { cmake, python } from './samples.ts';
import { requestOf, writeFiles, type Files } from './trees.ts';

async function planOf(t: TestContext, files: Files, base: Files = cmake): Promise<PackagingPlan> {
  const folder = tempDir(t);
  writeFiles(folder, { ...base, ...files });
  return planPackaging(requestOf(folder));
}

function contentOf(plan: PackagingPlan, name: string): string {
  return plan.files.find(({ path: file }) => file === name)?.content ?? '';
}

describe('.cairn.yml', () => {
  it('of the documentation is taken into account, field by field', async (t) => {
    const page = readFileSync(path.join(root, 'docs/packaging.md'), 'utf8');
    const example = /^```yaml\n(.*?)^```$/ms.exec(page)?.[1] ?? assert.fail('no example');
    const plan = await planOf(t, { '.cairn.yml': example });

    assert.equal(plan.kind, 'CMake');
    assert.equal(plan.sourceName, 'greeter');
    assert.deepEqual(plan.options, {
      parallel: 2,
      profiles: ['nodoc'],
      extraBuildDependencies: ['libfoo-dev (>= 1.2)'],
      environment: { GREETING: 'polite' },
      tests: true,
    });
    assert.ok(plan.buildDependencies.includes('libfoo-dev (>= 1.2)'));
    const control = contentOf(plan, 'debian/control');
    assert.match(control, /^Section: net$/m);
    assert.match(control, /^ adduser$/m);
    const rules = contentOf(plan, 'debian/rules');
    assert.match(rules, /^export GREETING = polite$/m);
    assert.doesNotMatch(rules, /override_dh_auto_test/);
    const { binary } = packagingScripts(plan);
    assert.match(binary, /^export DEB_BUILD_OPTIONS="parallel=2"$/m);
    assert.match(binary, /^export DEB_BUILD_PROFILES='nodoc'$/m);
  });

  it('renames Python distributions', async (t) => {
    const settings = { '.cairn.yml': 'pythonPackages: {Click: python3-other}\n' };
    const plan = await planOf(t, settings, python);
    assert.equal(contentOf(plan, 'debian/py3dist-overrides'), 'click python3-other\n');
  });

  const wrong: Readonly<Record<string, RegExp>> = {
    'build:\n  paralel: 2\n':
      /^\.cairn\.yml:2: unknown field "paralel"; expected one of parallel, dependencies/,
    'build:\n  parallel: many\n':
      /^\.cairn\.yml:2: build\.parallel: expected a whole number from 1 to 256; found "\\"many\\""$/,
    'build:\n  dependencies:\n    - ok\n    - "not (ok"\n':
      /^\.cairn\.yml:4: build\.dependencies\.1: expected a relation to a package/,
    'build:\n  environment:\n    LD_PRELOAD: x\n':
      /^\.cairn\.yml:3: build\.environment\.LD_PRELOAD: expected another variable than LD_PRELOAD/,
    'kind: Perl\n': /^\.cairn\.yml:1: kind: expected one of Python, Go/,
    'kind: Go\n': /^\.cairn\.yml: kind: the tree has none of the files that make it Go$/,
    'name: ../x\n': /^\.cairn\.yml:1: name: expected the name of a package/,
    '- a\n': /^\.cairn\.yml:1: expected a mapping; found/,
    'build: [\n': /^\.cairn\.yml:\d: not YAML: /,
    'a: &a [x]\nb: *a\n': /^\.cairn\.yml:2: aliases \(\*\) are not supported/,
    'depends: ["${shlibs:Depends}"]\n': /^\.cairn\.yml:1: depends\.0: expected a relation/,
  };
  for (const [text, message] of Object.entries(wrong)) {
    it(`says what is wrong with ${JSON.stringify(text)}`, async (t) => {
      await assert.rejects(planOf(t, { '.cairn.yml': text }), { reason: 'SourceInvalid', message });
    });
  }

  it('is small and shallow, or refused in no time', async (t) => {
    const deep = planOf(t, { '.cairn.yml': '['.repeat(60_000) });
    await assert.rejects(deep, /^CairnError: \.cairn\.yml:1: not YAML: .*depth/i);
    const large = planOf(t, { '.cairn.yml': '# '.repeat(100_000) });
    await assert.rejects(large, { message: '.cairn.yml: expected at most 64 KiB' });
    const many = planOf(t, { '.cairn.yml': `depends: [${'a,'.repeat(30_000)}]` });
    await assert.rejects(many, /at most 200 items/);
  });

  it('that is a link is refused', async (t) => {
    await assert.rejects(planOf(t, { '.cairn.yml': { link: '/etc/hostname' } }), {
      message: '.cairn.yml: expected a file',
    });
  });

  it('gives make and the shell the values as they are', async (t) => {
    const value = `a $(touch x) $$ \${HOME} 'q' "d" # c \\ \``;
    const plan = await planOf(t, {
      '.cairn.yml': JSON.stringify({ build: { environment: { ODD: value } } }),
    });
    const folder = tempDir(t);
    const assignment = /^export ODD = .*$/m.exec(contentOf(plan, 'debian/rules'))?.[0];
    writeFiles(folder, { Makefile: `${assignment}\nall:\n\t@printenv ODD\n` });
    assert.equal(
      (await run('make', ['-C', folder, '-s', '--no-print-directory'])).stdout,
      `${value}\n`,
    );
    const line = /^export ODD=.*$/m.exec(packagingScripts(plan).binary)?.[0];
    assert.equal((await run('sh', ['-c', `${line}; printenv ODD`])).stdout, `${value}\n`);
  });
});

describe('the files of aaSemble', () => {
  it('count where there is no .cairn.yml', async (t) => {
    const files = {
      '.aasemble.yml':
        'build:\n  parallel: false\n  dependencies: libone-dev, libtwo-dev\npydist_override: |\n  click python3-mine\nother: x\n',
      '.extra_build_packages': '# more\nlibthree-dev libfour-dev\n',
    };
    const plan = await planOf(t, files, python);

    assert.equal(plan.options.parallel, 1);
    assert.deepEqual(plan.options.extraBuildDependencies, [
      'libone-dev',
      'libtwo-dev',
      'libthree-dev',
      'libfour-dev',
    ]);
    assert.equal(contentOf(plan, 'debian/py3dist-overrides'), 'click python3-mine\n');
    const replaced = await planOf(t, { ...files, '.cairn.yml': '{}\n' }, python);
    assert.deepEqual(replaced.options.extraBuildDependencies, []);
  });
});
