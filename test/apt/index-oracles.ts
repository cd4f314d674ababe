/** Indexes beside those that the tools of Debian make of the same pool. */
import assert from 'node:assert/strict';
import { paragraphs } from './debs.ts';
import { run } from './tools.ts';

/** Paragraphs by what they are of. */
function byName(text: string, ...keys: readonly string[]): Map<string, Map<string, string>> {
  const nameOf = (fields: Map<string, string>) => keys.map((key) => fields.get(key)).join(' ');
  return new Map(paragraphs(text).map((fields) => [nameOf(fields), fields]));
}

/**
 * Fails unless a Packages index names the same files as apt-ftparchive and dpkg-scanpackages find in the folder
 * `pool` below `root`, and says of them what those say.
 */
export function agreeOnPackages(root: string, architecture: string, index: string): void {
  const ours = byName(index, 'filename');
  const words = ['--arch', architecture, 'packages', 'pool'];
  const theirs = byName(run('apt-ftparchive', words, { cwd: root }).toString(), 'filename');
  assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
  for (const [name, fields] of theirs) {
    for (const [field, value] of fields) assert.equal(ours.get(name)?.get(field), value);
  }
  const scanned = byName(
    run('dpkg-scanpackages', ['-m', '-a', architecture, 'pool'], { cwd: root }).toString(),
    'filename',
  );
  assert.deepEqual([...scanned.keys()].sort(), [...ours.keys()].sort());
  for (const [name, fields] of scanned) {
    for (const field of ['package', 'version', 'architecture', 'size', 'sha256']) {
      assert.equal(ours.get(name)?.get(field), fields.get(field));
    }
  }
}

/** The same of a Sources index. */
export function agreeOnSources(root: string, index: string): void {
  const ours = byName(index, 'package', 'version');
  const theirs = byName(
    run('apt-ftparchive', ['sources', 'pool'], { cwd: root }).toString(),
    'package',
    'version',
  );
  assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
  const lines = (text: string | undefined) => text?.trim().split(/\n\s*/).sort();
  for (const [name, fields] of theirs) {
    for (const [field, value] of fields) {
      assert.deepEqual(lines(ours.get(name)?.get(field)), lines(value), `${name} ${field}`);
    }
  }
}
