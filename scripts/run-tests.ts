/** Runs every test file. Those that take longest come first, so that none of them runs alone at the end. */
import { globSync } from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import report from './test-reporter.ts';

/** More than there are processors: much of the time they wait, for leases to run out or for a server to come back. */
const concurrency = 4;
/** For a file or a test, on however busy a machine. */
const timeout = 900_000;

/** Minutes, and more the first time, when they make root file systems; the longest of them first. */
const long = [
  'test/e2e/build-archives.test.ts',
  'test/e2e/packages.test.ts',
  'test/packaging/builds.test.ts',
  'test/kubernetes/outage.test.ts',
  'test/e2e/hostile-builds.test.ts',
  'test/e2e/promotion.test.ts',
  'test/kubernetes/replicas.test.ts',
  'test/e2e/build-faults.test.ts',
  'test/e2e/source.test.ts',
  'test/e2e/crash.test.ts',
  'test/e2e/upstream-changes.test.ts',
  'test/e2e/bucket.test.ts',
  'test/builders/docker/adoption.test.ts',
  'test/kubernetes/leadership.test.ts',
  'test/e2e/repository-crash.test.ts',
  'test/charts/rights.test.ts',
  'test/e2e/lazy-and-private.test.ts',
  'test/e2e/repository.test.ts',
  'test/reconcilers/mirror/faults.test.ts',
];

const root = path.resolve(import.meta.dirname, '..');
// As the launcher of the product has it: what one file has compiled, the next one finds.
process.env['NODE_COMPILE_CACHE'] ??= path.join(root, '.cache/compile');

run({ cwd: root, files: inOrder(), concurrency, timeout })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(report)
  .pipe(process.stdout);

function inOrder(): string[] {
  const all = new Set(globSync('test/**/*.test.ts', { cwd: root }).toSorted());
  const unknown = long.find((file) => !all.has(file));
  if (unknown !== undefined) throw new Error(`there is no ${unknown}`);
  return [...new Set([...long, ...all])];
}
