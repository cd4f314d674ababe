import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ageOf } from '../../../controller/cli/age.ts';
import { formatBytes } from '../../../controller/cli/bytes.ts';
import { evaluateJsonPath } from '../../../controller/cli/json-path.ts';
import { formatTable } from '../../../controller/cli/table.ts';
import { terminalWriter } from '../../../controller/cli/terminal-writer.ts';
import { kinds } from '../../../crds/index.ts';

describe('ages', () => {
  it('are those of kubectl', () => {
    const now = new Date('2026-08-01T12:00:00Z');
    const ages: Readonly<Record<string, number>> = {
      '0s': -5,
      '45s': 45,
      '119s': 119,
      '2m': 120,
      '5m30s': 330,
      '10m': 630,
      '179m': 179 * 60,
      '3h': 180 * 60,
      '7h59m': 8 * 3600 - 60,
      '8h': 8 * 3600 + 60,
      '47h': 47 * 3600,
      '2d': 48 * 3600,
      '7d23h': 8 * 86_400 - 3600,
      '12d': 12 * 86_400,
      '729d': 729 * 86_400,
      '2y': 730 * 86_400,
    };
    for (const [shown, seconds] of Object.entries(ages)) {
      assert.equal(ageOf(new Date(now.getTime() - seconds * 1000).toISOString(), now), shown);
    }
    assert.equal(ageOf('yesterday', now), '<invalid>');
  });
});

describe('JSONPath', () => {
  const object = {
    metadata: { labels: { 'example.com/team': 'web' } },
    status: {
      published: { snapshot: 'base-2' },
      keys: [{ fingerprint: 'A' }, { fingerprint: 'B' }],
      conditions: [
        { type: 'Reconciling', status: 'True' },
        { type: 'Ready', status: 'False' },
      ],
    },
  };

  it('finds what printer columns and waits ask for', () => {
    const paths: Readonly<Record<string, readonly unknown[]>> = {
      '.status.published.snapshot': ['base-2'],
      '{.status.published.snapshot}': ['base-2'],
      '$.status.keys[1].fingerprint': ['B'],
      '.status.keys[*].fingerprint': ['A', 'B'],
      '.status.conditions[?(@.type=="Ready")].status': ['False'],
      ".status.conditions[?(@.type=='Ready')].status": ['False'],
      ".metadata.labels['example.com/team']": ['web'],
      '.status.nothing.here': [],
      '.status.constructor': [],
    };
    for (const [path, found] of Object.entries(paths)) {
      assert.deepEqual(evaluateJsonPath(object, path), found, path);
    }
  });

  it('understands the columns of every kind', () => {
    for (const { jsonPath } of kinds.flatMap(({ columns }) => columns)) {
      assert.doesNotThrow(() => evaluateJsonPath({}, jsonPath), jsonPath);
    }
  });

  it('says what it does not understand', () => {
    assert.throws(
      () => evaluateJsonPath({}, '.a..b'),
      /can't read the JSONPath \.a\.\.b from \.\.b on/,
    );
  });
});

describe('tables and numbers', () => {
  it('align, and shorten their widest column to fit', () => {
    const rows = [
      ['NAME', 'STATUS', 'AGE'],
      ['a', 'a message that goes on and on and on', '5m'],
    ];
    assert.equal(
      formatTable(rows, { columns: 32 }),
      'NAME   STATUS                AGE\na      a message that goe…   5m',
    );
    assert.equal(
      formatTable([
        ['a', ''],
        ['bb', ''],
      ]),
      'a\nbb',
    );
  });

  it('show bytes with the digits that matter', () => {
    assert.deepEqual([0, 999, 1000, 1536, 45 * 1024 ** 3].map(formatBytes), [
      '0 B',
      '999 B',
      '1.0 KiB',
      '1.5 KiB',
      '45 GiB',
    ]);
  });
});

describe('a terminal', () => {
  it('shows progress on one line that makes way for everything else', () => {
    const written: string[] = [];
    const output = { isTTY: true, write: (text: string) => written.push(text) };
    const { out, progress } = terminalWriter(output, output);
    progress('10%');
    progress('20%');
    out('done');
    assert.equal(written.join(''), '\r\u001b[2K10%\r\u001b[2K20%\r\u001b[2Kdone\n');
  });

  it('gets no progress when it is none', () => {
    const written: string[] = [];
    const output = { write: (text: string) => written.push(text) };
    const { err, flush, progress } = terminalWriter(output, output);
    progress('10%');
    err('warning');
    flush();
    assert.deepEqual(written, ['warning\n']);
  });

  it('gets the messages of a moment at once, in their place among results', async () => {
    const written: string[] = [];
    const output = { write: (text: string) => written.push(text) };
    const { out, err } = terminalWriter(output, output);
    err('one');
    err('two');
    out('result');
    err('three');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(written, ['one\ntwo\n', 'result\n', 'three\n']);
  });
});
