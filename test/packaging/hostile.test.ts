/** Trees that strangers made to do harm. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { CairnError } from '../../crds/reasons.ts';
import { applyPackaging } from '../../packaging/apply.ts';
import { argumentsOf } from '../../packaging/formats/keywords.ts';
import {
  callsOf,
  dividedArguments,
  tokensOf,
  type Language,
} from '../../packaging/formats/tokens.ts';
import { planPackaging } from '../../packaging/plan.ts';
import { tempDir } from '../world/temp.ts';
import { cmake } from './samples.ts';
import { requestOf, writeFiles, type Files } from './trees.ts';

async function planOf(t: TestContext, files: Files) {
  const folder = tempDir(t);
  writeFiles(folder, files);
  return planPackaging(requestOf(folder));
}

describe('symbolic links', () => {
  it('out of the tree are never read', async (t) => {
    const secret = path.join(tempDir(t), 'secret');
    writeFileSync(secret, 'Copyright 2026 topsecret');
    const names = ['LICENSE', 'README.md', 'setup.cfg', 'pyproject.toml', 'man'];
    const links = Object.fromEntries(names.map((name) => [name, { link: secret }]));
    const plan = await planOf(t, { Makefile: 'all:\n', ...links });

    assert.equal(plan.kind, 'Make');
    assert.doesNotMatch(JSON.stringify(plan), /topsecret/);
  });

  it('are never written through', async (t) => {
    const outside = tempDir(t);
    const folder = tempDir(t);
    writeFiles(folder, cmake);
    const plan = await planPackaging(requestOf(folder));
    symlinkSync(outside, path.join(folder, 'debian'));
    await assert.rejects(applyPackaging(plan, folder), { reason: 'SourceInvalid' });
    assert.deepEqual(readdirSync(outside), []);

    const again = tempDir(t);
    writeFiles(again, cmake);
    mkdirSync(path.join(again, 'debian'));
    const victim = path.join(outside, 'victim');
    writeFileSync(victim, 'untouched');
    symlinkSync(victim, path.join(again, 'debian/control'));
    await applyPackaging(plan, again);
    assert.equal(readFileSync(victim, 'utf8'), 'untouched');
  });

  it('are no part of a subdirectory, nor does one lead out', async (t) => {
    const folder = tempDir(t);
    writeFiles(folder, {
      'real/Makefile': 'all:\n',
      linked: { link: '/etc' },
      '.git/config': '[remote]',
      LICENSE: 'Apache License\nVersion 2.0',
    });
    const of = (subdirectory: string) => planPackaging({ ...requestOf(folder), subdirectory });

    const plan = await of('real/');
    assert.equal(plan.kind, 'Make');
    const copyright = plan.files.find(({ path: name }) => name === 'debian/copyright');
    assert.match(copyright?.content ?? '', /^License: Apache-2\.0$/m);
    await assert.rejects(of('.git'), { reason: 'SpecInvalid' });
    await assert.rejects(of('linked'), {
      message: /expected a folder; "linked" is a symbolic link/,
    });
    await assert.rejects(of('../x'), { reason: 'SpecInvalid' });
    await assert.rejects(of('real/../..'), { reason: 'SpecInvalid' });
    await assert.rejects(of('/etc'), { reason: 'SpecInvalid' });
    await assert.rejects(of('none'), { message: 'none: there is no such folder in this commit' });
  });
});

describe('names', () => {
  it('with line ends are refused', async (t) => {
    await assert.rejects(planOf(t, { 'a\nb': 'x', Makefile: 'all:\n' }), {
      reason: 'SourceInvalid',
      message: '"a\\nb": a file name has control characters, which no source package should have',
    });
  });

  it('that are not UTF-8 are left alone', async (t) => {
    const folder = tempDir(t);
    writeFiles(folder, { Makefile: 'all:\n' });
    const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff])]);
    mkdirSync(odd);
    writeFileSync(Buffer.concat([odd, Buffer.from('.c')]), 'x');
    assert.equal((await planPackaging(requestOf(folder))).kind, 'Make');
  });

  it('of programs and pages that are commands stay names, or are refused', async (t) => {
    const bad = "man/x'$(touch pwned)`id`.1";
    const plan = await planOf(t, {
      Makefile: 'all:\n',
      [bad]: '.TH X 1\n',
      'README; rm -rf x': 'x',
      'man/ok.1': '.TH OK 1\n',
    });
    const pages = plan.files.find(({ path: name }) => name.endsWith('.manpages'))?.content;
    assert.equal(pages, 'man/ok.1\n');

    const json = (bin: Record<string, string>) => ({
      'package.json': JSON.stringify({ name: 'x1', bin }),
    });
    await assert.rejects(planOf(t, json({ x: 'a b;c' })), /bin: "a b;c" is no path of a file/);
    await assert.rejects(planOf(t, json({ x: '../../etc/passwd' })), /is no path of a file/);
    await assert.rejects(planOf(t, json({ '../x': 'a.js' })), /can not be the name of a program/);
    await assert.rejects(
      planOf(t, {
        'Cargo.toml': '[package]\nname = "x"\n[[bin]]\nname = "a;b"\n',
        'src/main.rs': '',
      }),
      /"a;b" can not be the name of a program/,
    );
    await assert.rejects(
      planOf(t, { 'go.mod': 'module "x/../../y"\n', 'main.go': 'package main\n' }),
      /is no path of a module/,
    );
  });

  it('that a project gives itself end as names of packages', async (t) => {
    const evil = 'x"\nPre-Depends: evil\n $(id)';
    const plan = await planOf(t, {
      'pyproject.toml': `[project]\nname = ${JSON.stringify(evil)}\nversion = "1\\nX: y"\ndescription = "a\\nProvides: b"\n`,
    });
    const control = plan.files.find(({ path: name }) => name === 'debian/control')?.content ?? '';
    assert.match(plan.sourceName, /^[a-z0-9][a-z0-9+.-]+$/);
    assert.doesNotMatch(control, /^(Pre-Depends|X|Provides: b)/m);
  });
});

describe('files that are too much', () => {
  const large: Readonly<Record<string, string>> = {
    'pyproject.toml': `a = ${'['.repeat(100_000)}`,
    'package.json': `{"a":${'['.repeat(400_000)}`,
    'Cargo.toml': `${'['.repeat(100_000)}a`,
    'setup.cfg': `[metadata]\nname = x\n${'a'.repeat(2_000_000)}`,
  };
  for (const [name, text] of Object.entries(large)) {
    it(`such as a ${name} are refused, with its name`, async (t) => {
      await assert.rejects(planOf(t, { [name]: text }), (thrown) => {
        assert.ok(thrown instanceof CairnError, String(thrown));
        assert.equal(thrown.reason, 'SourceInvalid');
        assert.ok(thrown.message.startsWith(name), thrown.message);
        return true;
      });
    });
  }

  it('of build scripts are read once, however they are nested', async (t) => {
    const bombs: Files = {
      'setup.py': `setup(${'['.repeat(300_000)}`,
      'CMakeLists.txt': 'find_package('.repeat(70_000),
      'meson.build': `dependency(${"'a',".repeat(100_000)}`,
      'configure.ac': 'AC_CHECK_LIB(['.repeat(60_000),
      Makefile: `${'\t'.repeat(100_000)}#\n${'-l'.repeat(200_000)}\npkg-config${' a'.repeat(200_000)}\n`,
      'README.md': '[['.repeat(8_000),
      LICENSE: 'Redistribution and use in source '.repeat(4_000),
    };
    for (const [name, text] of Object.entries(bombs)) {
      const plan = await planOf(t, { [name]: text, 'x.txt': 'x' });
      assert.ok(plan.files.length > 3, name);
    }
  });

  it('of calls in calls take no memory to speak of', async (t) => {
    const nested = 'find_package(x '.repeat(60_000);
    const files = Array.from({ length: 40 }, (_, index) => [`d${index}/CMakeLists.txt`, nested]);
    const before = process.memoryUsage().heapUsed;
    await planOf(t, { 'CMakeLists.txt': 'project(x1 C)\n', ...Object.fromEntries(files) });
    assert.ok(process.memoryUsage().heapUsed - before < 256 * 1024 * 1024);
  });

  it('of folders are refused', async (t) => {
    const folder = tempDir(t);
    mkdirSync(path.join(folder, 'a/'.repeat(80)), { recursive: true });
    await assert.rejects(planPackaging(requestOf(folder)), /more than 64 folders deep/);
  });
});

describe('scanners', () => {
  const languages: readonly Language[] = ['cmake', 'meson', 'python', 'm4'];
  const text = fc.array(
    fc.constantFrom(
      'setup(',
      'a',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      ',',
      '=',
      ':',
      '"',
      "'",
      '\\',
      '#',
      '\n',
      ' ',
      '"""',
    ),
    { maxLength: 60 },
  );

  it('come to an end with whatever they are given', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(...languages), (parts, language) => {
        for (const call of callsOf(tokensOf(parts.join(''), language), ['setup'])) {
          argumentsOf(call);
          dividedArguments(call);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a tree with nothing in it', () => {
  it('is refused', async (t) => {
    await assert.rejects(planOf(t, { 'README.md': 'x', '.gitignore': 'x' }), {
      message: /^\.: there is nothing to package in this folder$/,
    });
  });

  it('but for parts of a debian/ folder is refused', async (t) => {
    await assert.rejects(planOf(t, { 'debian/watch': 'x', Makefile: 'all:\n' }), {
      message: /^debian: expected control, changelog and rules/,
    });
  });
});

it('nothing of a tree is run while it is planned', async (t) => {
  const trap = path.join(tempDir(t), 'ran');
  const script = { executable: `#!/bin/sh\ntouch ${trap}\n` };
  await planOf(t, {
    configure: script,
    'setup.py': `import os\nos.system("touch ${trap}")\nsetup(name="x1")\n`,
    'debian.sh': script,
  });
  assert.equal(existsSync(trap), false);
});
