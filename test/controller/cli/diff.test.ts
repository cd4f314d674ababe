import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { formatDiffText } from '../../../controller/cli/diff-format.ts';
import { formatDiffMarkdown } from '../../../controller/cli/diff-markdown.ts';
import type { SnapshotDiff, SourceChange } from '../../../reconcilers/snapshot/diff-shape.ts';
import { snapshotDiffer, type Differ } from '../../../reconcilers/snapshot/diff-worker-pool.ts';
import { testDepot, type Listed } from '../../reconcilers/snapshot/frozen.ts';
import { startCli } from './cli-world.ts';

/** A server that holds the snapshots base-1 and base-2. */
async function world(t: TestContext, before: readonly Listed[], after: readonly Listed[]) {
  const depot = await testDepot(t);
  let diff: Differ | undefined;
  const server = await startCli(t, {
    diff: (from, to, signal) => diff?.(from, to, signal) ?? Promise.reject(new Error('too early')),
  });
  diff = snapshotDiffer({ store: server.store, depot: { root: depot.root } });
  for (const [name, packages] of Object.entries({ 'base-1': before, 'base-2': after })) {
    const member = await depot.freeze({ 'dists/stable/main/binary-amd64/Packages.gz': packages });
    await server.declare(
      'Snapshot',
      name,
      { mirrorSetRef: { name: 'base' } },
      { members: [member] },
    );
  }
  return server;
}

const before = [
  { name: 'libssl3', version: '3.0.1-1', source: 'openssl' },
  { name: 'old-tool', version: '1.0' },
  { name: 'openssl', version: '3.0.1-1' },
];
const after = [
  { name: 'libssl3', version: '3.0.2-1', source: 'openssl' },
  { name: 'new-tool', version: '2.0' },
  { name: 'openssl', version: '3.0.2-1' },
];

describe('cairn diff', () => {
  it('shows one line per source package', async (t) => {
    const server = await world(t, before, after);
    const { status, out } = await server.cairn('diff base-1 base-2');
    assert.equal(status, 0);
    assert.equal(
      out,
      `base-1 -> base-2: 2 upgraded, 1 added, 1 removed

+   new-tool   2.0                  amd64
-   old-tool   1.0                  amd64
^   openssl    3.0.1-1 -> 3.0.2-1   amd64   libssl3, openssl`,
    );
  });

  it('says by its exit status whether there are differences, when asked to', async (t) => {
    const server = await world(t, before, after);
    assert.equal((await server.cairn('diff base-1 base-2 --exit-code')).status, 3);
    const same = await server.cairn('diff base-1 base-1 --exit-code');
    assert.deepEqual([same.status, same.out], [0, 'base-1 -> base-1: no differences']);
  });

  it('prints JSON for programs and Markdown for pull requests', async (t) => {
    const server = await world(t, before, after);
    const diff: SnapshotDiff = JSON.parse((await server.cairn('diff base-1 base-2 -o json')).out);
    assert.equal(diff.mounts[0]?.suites[0]?.entries.length, 4);
    const { out } = await server.cairn('diff base-1 base-2 -o md');
    assert.match(out, /^\*\*<code>base-1<\/code> → <code>base-2<\/code>\*\*: 2 upgraded/);
    assert.match(
      out,
      /^\| <code>openssl<\/code> \| 3\.0\.1-1 → 3\.0\.2-1 \| amd64 \| libssl3, openssl \|$/m,
    );
  });

  it('uses colour on a terminal only, and not when that is unwanted', async (t) => {
    const server = await world(t, before, after);
    const diff = (env: Record<string, string>, isTTY: boolean) =>
      server.cairn('diff base-1 base-2', { isTTY, env });
    assert.match((await diff({}, true)).out, /\u001b\[32m\+ {3}new-tool/);
    assert.doesNotMatch((await diff({}, false)).out, /\u001b/);
    assert.doesNotMatch((await diff({ NO_COLOR: '1' }, true)).out, /\u001b/);
  });

  it('names what an unknown snapshot may have meant', async (t) => {
    const server = await world(t, before, after);
    const { status, err } = await server.cairn('diff base-1 bsae-2');
    assert.equal(status, 1);
    assert.match(
      err,
      /no snapshot or environment is called "bsae-2"; did you mean snapshot\/base-2/,
    );
    assert.equal((await server.cairn('diff base-1')).status, 2);
  });
});

describe('the formats of a diff', () => {
  const side = (snapshot: string) => ({ snapshot, uid: '1' });
  const diffOf = (sources: readonly SourceChange[]): SnapshotDiff => ({
    from: { ...side('base-1'), environment: 'production' },
    to: side('base-2'),
    summary: { upgraded: sources.length, downgraded: 0, added: 0, removed: 0, changed: 0 },
    mounts: [],
    sources,
  });
  const upgrade = (source: string): SourceChange => ({
    source,
    change: 'upgraded',
    before: '1',
    after: '2',
    packages: [source],
    architectures: ['amd64'],
  });

  it('name the environment and what it serves', () => {
    assert.match(
      formatDiffText(diffOf([]), { colour: false }),
      /^environment\/production \(base-1\) -> base-2: no differences$/,
    );
  });

  it('fold long lists, and stay below what a comment may be long', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => upgrade(`package-${n}`));
    const text = formatDiffMarkdown(diffOf(many));
    assert.ok(text.length < 61_000);
    assert.match(text, /<details>\n<summary>20000 source packages upgraded<\/summary>/);
    assert.match(text, /… and \d+ more; `cairn diff` shows them all\./);
    assert.match(text, /<\/details>$/);
  });

  it('let nothing of a package become markup', () => {
    const text = formatDiffMarkdown(diffOf([upgrade('x|<img src=a>@team #1 [a](b)')]));
    assert.doesNotMatch(text, /<img|@team| #1|\[a\]/);
  });
});
