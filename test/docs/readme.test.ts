import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { commandNames, loadCommand } from '../../controller/cli/commands.ts';
import { exit } from '../../controller/cli/command.ts';
import { kinds } from '../../crds/index.ts';
import { annotations } from '../../crds/object.ts';
import { reasons } from '../../crds/reasons.ts';
import { plainSchema, type Schema } from '../../crds/schema.ts';
import { repositoryFiles, root } from '../repository.ts';
import { codeOf, page, pages, proseOf } from './pages.ts';

const all = pages();
const files = repositoryFiles();
const folders = new Set(files.flatMap(foldersOf));
const tops = new Set([...folders].filter((folder) => !folder.includes('/')));

function foldersOf(file: string): string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** The id of a heading, as GitHub makes it. */
function anchorOf(heading: string): string {
  const plain = heading.replaceAll('`', '').trim().toLowerCase();
  return plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
}

function anchorsOf(file: string): ReadonlySet<string> {
  const headings = proseOf(page(file)).matchAll(/^#{1,6} (.+)$/gm);
  return new Set([...headings].map(([, heading = '']) => anchorOf(heading)));
}

describe('every page', () => {
  it('has links that lead somewhere', () => {
    const broken = all.flatMap((one) =>
      [...proseOf(one).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !leadsSomewhere(one.file, target))
        .map((target) => `${one.file}: ${target}`),
    );

    assert.deepEqual(broken, []);
  });

  it('names paths that exist', () => {
    const broken = all.flatMap((one) =>
      codeOf(one)
        .filter((code) => isPath(code) && !pathExists(one.file, code))
        .map((code) => `${one.file}: ${code}`),
    );

    assert.deepEqual(broken, []);
  });

  it('names commands that exist', () => {
    const unknown = all.flatMap(({ file, text }) =>
      [...text.matchAll(/(?:^\$ |\.\/|`)cairn ([a-z]+)/gm)]
        .map(([, name = '']) => name)
        .filter((name) => name !== 'help' && !commandNames.includes(name))
        .map((name) => `${file}: cairn ${name}`),
    );

    assert.deepEqual(unknown, []);
  });
});

function leadsSomewhere(from: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : normalize(join(dirname(from), path)).replace(/\/$/, '');
  if (!files.includes(file) && !folders.has(file)) return false;
  return anchor === undefined || (file.endsWith('.md') && anchorsOf(file).has(anchor));
}

/** Whether a word in backticks looks like a path of this repository, with its first folder. */
function isPath(code: string): boolean {
  const [first = ''] = code.split('/');
  return tops.has(first) && /^[\w./-]+$/.test(code) && code.includes('/');
}

function pathExists(from: string, code: string): boolean {
  const path = code.replace(/\/$/, '');
  return existsSync(join(root, path)) || existsSync(join(root, dirname(from), path));
}

describe('README.md', () => {
  const readme = page('README.md');

  it('gives a reason for every runtime dependency, and names no other', () => {
    const { dependencies } = JSON.parse(page('package.json').text);
    const [, section = ''] = /^## Dependencies\n(.*?)^## /ms.exec(readme.text) ?? [];
    const rows = [...section.matchAll(/^\| `([^`]+)` +\| (.*?) +\|$/gm)];

    assert.deepEqual(rows.map(([, name]) => name).sort(), Object.keys(dependencies).sort());
    for (const [, name = '', reason = ''] of rows) assert.ok(reason.length > 0, name);
  });

  it('links every folder that has a README.md', () => {
    const owners = all.map(({ file }) => file).filter((file) => /^[^/]+\/README\.md$/.test(file));
    for (const file of owners) assert.ok(readme.text.includes(`(${file})`), file);
  });

  it('names every kind', () => {
    for (const { kind } of kinds) assert.match(readme.text, new RegExp(`\\[${kind}\\]`));
  });
});

describe('docs/', () => {
  it('has every page in its index', () => {
    const index = page('docs/README.md').text;
    const below = all.map(({ file }) => file).filter((file) => /^docs\/.+/.test(file));
    for (const file of below.filter((file) => file !== 'docs/README.md')) {
      assert.ok(index.includes(`(${file.slice('docs/'.length)})`), file);
    }
  });

  it('explains every annotation', () => {
    const named = new Set(codeOf(page('docs/README.md')));
    for (const annotation of Object.values(annotations)) assert.ok(named.has(annotation));
  });

  it('says what every reason means, with the remedy that the loop goes by', () => {
    const rows = [
      ...page('docs/reasons.md').text.matchAll(/^\| `(\w+)` +\| (retry|wait|stall) /gm),
    ];
    const documented = Object.fromEntries(rows.map(([, reason, remedy]) => [reason, remedy]));

    assert.deepEqual(documented, { ...reasons });
  });

  for (const { kind, spec, status } of kinds) {
    const file = `docs/kinds/${kind.toLowerCase()}.md`;
    const named = new Set(codeOf(page(file)));

    it(`names every field of the spec of ${kind}`, () => {
      const missing = leaves(plainSchema(spec), '').filter((field) => !named.has(field));
      assert.deepEqual(missing, []);
    });

    it(`names every field of the status of ${kind}`, () => {
      const fields = Object.keys(plainSchema(status).properties ?? {});
      assert.deepEqual(
        fields.filter((field) => !named.has(field)),
        [],
      );
    });

    it(`has the four headings for ${kind}`, () => {
      const headings = [...page(file).text.matchAll(/^## (.+)$/gm)].map(
        ([, heading = '']) => heading,
      );
      assert.deepEqual(
        headings.map((heading) => heading.replace(/^(Working with).*/, '$1')),
        ['Example', 'Spec', 'Working with', 'Status'],
      );
    });

    it(`names no reason for ${kind} that does not exist`, () => {
      const [, section = ''] = /^## Status\n(.*)/ms.exec(page(file).text) ?? [];
      const known = new Set([
        ...Object.keys(reasons),
        ...['Succeeded', 'Progressing', 'ProgressingWithRetry'],
        ...[
          'Refreshed',
          'Taken',
          'Promoted',
          'Published',
          'Removed',
          'LeftOut',
          'Hidden',
          'Refused',
          'Created',
          'Configured',
          'Pruned',
        ],
        ...['DriftCorrected', 'DriftReported'],
      ]);
      const unknown = [...section.matchAll(/`([A-Z][a-z]+[A-Za-z]*)`/g)]
        .map(([, word = '']) => word)
        .filter((word) => !known.has(word) && word !== 'Date');
      assert.deepEqual(unknown, []);
    });
  }
});

/** The fields of a schema that have no fields of their own: `limits.retries`, `mirrors[].name`. */
function leaves(schema: Schema, path: string): string[] {
  const below = Object.entries(schema.properties ?? {});
  if (below.length > 0) {
    return below.flatMap(([name, field]) => leaves(field, path === '' ? name : `${path}.${name}`));
  }
  return schema.items?.properties ? leaves(schema.items, `${path}[]`) : [path];
}

describe('docs/cli.md', () => {
  const { text } = page('docs/cli.md');

  it('has a section for every command, in the order of `cairn help`', () => {
    const sections = [...text.matchAll(/^### `cairn (\w+)`$/gm)].map(([, name]) => name);
    assert.deepEqual(sections, commandNames);
  });

  it('names every option of every command', async () => {
    const ofServers = ['server', 'token-file', 'certificate-authority', 'kubeconfig', 'context'];
    const general = [...ofServers, 'namespace', 'timeout', 'wait'];
    for (const name of commandNames) {
      const options = Object.entries((await loadCommand(name))?.options ?? {});
      const [, section = ''] =
        new RegExp(`^### \`cairn ${name}\`$(.*?)(?=^##|(?![^]))`, 'ms').exec(text) ?? [];
      for (const [option, { short }] of options) {
        const isNamed =
          section.includes(`--${option}`) ||
          section.includes(`-${short ?? '-'} `) ||
          section.includes(`-${short ?? '-'}\``);
        assert.ok(isNamed || general.includes(option), `cairn ${name} --${option}`);
      }
    }
  });

  it('gives every exit status', () => {
    for (const status of Object.values(exit))
      assert.match(text, new RegExp(`^\\| \`${status}\` `, 'm'));
  });
});
