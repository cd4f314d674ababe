import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dump } from 'js-yaml';
import { readDocuments } from '../../../controller/sources/documents.ts';
import { decodeUtf8 } from '../../../controller/sources/text.ts';
import { told } from './folder.ts';

function read(text: string) {
  const { documents, problems } = readDocuments(text, 'f.yaml');
  return {
    documents,
    values: documents.map(({ value }) => value),
    problems: told([...problems, ...documents.flatMap((document) => document.problems)]),
  };
}

/** The only problem of a text. */
function problemOf(text: string): string {
  const { problems } = read(text);
  assert.equal(problems.length, 1, problems.join('\n'));
  return problems[0] ?? '';
}

describe('a stream of documents', () => {
  it('is read one by one, empty ones left out', () => {
    const text = '# only a comment\n---\n---\na: 1\n---\n# none\n---\nb: 2\n...\nc: 3\n--- d\n';
    assert.deepEqual(read(text).values, [{ a: 1 }, { b: 2 }, { c: 3 }, 'd']);
    assert.deepEqual(read('').values, []);
    assert.deepEqual(read('---\n').problems, []);
  });

  it('loses only the document that has an error', () => {
    const { values, problems } = read('a: 1\n---\nb: [1,\n---\nc: "open\n---\nd: 4\n');
    assert.deepEqual(values, [{ a: 1 }, { d: 4 }]);
    assert.deepEqual(problems, [
      'f.yaml:4:1: not YAML: deficient indentation',
      'f.yaml:6:1: not YAML: deficient indentation',
    ]);
  });

  it('takes three dashes inside a block of text for text when they are indented', () => {
    assert.deepEqual(read('a: |\n  x\n  ---\n  y\n').values, [{ a: 'x\n---\ny\n' }]);
  });

  it('may start with directives, and with a byte order mark', () => {
    assert.deepEqual(read('%YAML 1.2\n# c\n---\na: 1\n...\n%YAML 1.2\n---\nb: 2\n').values, [
      { a: 1 },
      { b: 2 },
    ]);
    const { documents } = read('\ufeffa: 1\n');
    assert.deepEqual(documents[0]?.position(['a']), { line: 1, column: 4 });
  });

  it('may have lines that end as on Windows', () => {
    const { documents, problems } = read('a: 1\r\n---\r\nb:\r\n  - c\r\n  - d\r\n');
    assert.deepEqual(problems, []);
    assert.deepEqual(documents[1]?.value, { b: ['c', 'd'] });
    assert.deepEqual(documents[1]?.position(['b', 1]), { line: 5, column: 5 });
  });

  it('gives what any YAML library writes, whatever it is', () => {
    const name = fc
      .stringMatching(/^[a-z]{1,9}$/)
      .filter((text) => !/^[yn]$|^(yes|no|on|off)$/.test(text));
    // Numbers of YAML 1.1 alone, `0X0` or `1_000`: writers of YAML 1.2 take them for plain words.
    const words = fc.string().filter((text) => !/^[-+.]*\d.*[_xob:]/i.test(text));
    const value = fc.dictionary(
      name,
      fc.oneof(words, fc.integer(), fc.boolean(), fc.array(words)),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const text = values.map((one) => `---\n${dump(one)}`).join('');
        const { documents, problems } = readDocuments(text, 'f.yaml');
        assert.deepEqual(problems, []);
        assert.deepEqual(
          JSON.parse(JSON.stringify(documents.map((document) => document.value))),
          JSON.parse(JSON.stringify(values)),
        );
      }),
    );
  });
});

describe('a plain scalar', () => {
  const readings = {
    true: ['true', 'True', 'y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'],
    false: ['FALSE', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'],
    0: ['0', '00', '-0', '0x0'],
    8: ['8', '+8', '010', '0o10', '0O10', '0x8', '0X_8', '0b1000', '08', '8_', '8.', '.8e1', '8e0'],
    '-420': ['-420', '-0644', '-0o644', '-0x1a4', '-4_20', '-4.2e2'],
  };

  it('means what it means to kubectl', () => {
    for (const [value, texts] of Object.entries(readings)) {
      for (const text of texts) {
        assert.deepEqual(read(`a: ${text}\n`).values, [{ a: JSON.parse(value) }], text);
      }
    }
    for (const text of ['yEs', '1:30', '2026-01-01', '0o9', '0x', '1__a', '_1', '-', '1.1.1']) {
      const plain = text === '-' ? '"-"' : text;
      assert.deepEqual(read(`a: ${plain}\n`).values, [{ a: text }], text);
    }
  });

  it('is text in quotes, in a block and with a tag', () => {
    for (const text of Object.values(readings).flat()) {
      const { values } = read(`a: "${text}"\nb: '${text}'\nc: |-\n  ${text}\nd: !!str ${text}\n`);
      assert.deepEqual(values, [{ a: text, b: text, c: text, d: text }]);
    }
  });

  it('can say what is surprising about it', () => {
    const [document] = read('a: [0644, yes, 12, no no, "on"]\n').documents;
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((at) => document?.surprise(['a', at])?.split(';')[0]),
      ['0644 is 420 in YAML 1.1', 'yes is true in YAML 1.1', undefined, undefined, undefined],
    );
  });
});

describe('a position', () => {
  const text =
    'x: 0\n---\n# c\nspec:\n  url: "u"\n  empty:\n  list: [a, {b: c}]\n  block:\n    - d\n';
  const [, document] = read(text).documents;

  it('is the place of a value, or of its key, in the whole file', () => {
    assert.equal(document?.line, 4);
    assert.deepEqual(document?.position(['spec', 'url']), { line: 5, column: 8 });
    assert.deepEqual(document?.position(['spec', 'url'], 'key'), { line: 5, column: 3 });
    assert.deepEqual(document?.position(['spec', 'list', 1, 'b']), { line: 7, column: 17 });
    assert.deepEqual(document?.position(['spec', 'block', 0]), { line: 9, column: 7 });
  });

  it('is that of the key, or of the parent, where there is no value', () => {
    assert.deepEqual(document?.position(['spec', 'empty']), { line: 6, column: 3 });
    assert.deepEqual(document?.position(['spec', 'missing']), { line: 4, column: 1 });
    assert.deepEqual(document?.position(['spec', 'list', 7]), { line: 7, column: 3 });
    assert.deepEqual(document?.position(['other', 'thing']), { line: 4, column: 1 });
  });
});

describe('bad YAML', () => {
  it('is explained where tabs indent', () => {
    assert.equal(
      problemOf('a:\n\tb: 1\n'),
      'f.yaml:2:1: a tab is used to indent; YAML wants spaces',
    );
    assert.match(problemOf('a:\n  \tb: 1\n'), /^f.yaml:2:\d+: a tab is used to indent/);
  });

  it('is refused where a key comes twice, in any spelling', () => {
    assert.equal(
      problemOf('a: 1\nb: 2\na: 3\n'),
      'f.yaml:3:1: duplicate key `a`; it is given before',
    );
    assert.match(problemOf('x: {"a": 1, a: 2}\n'), /^f.yaml:1:13: duplicate key/);
  });

  it('is refused where a key is something else than text to kubectl', () => {
    for (const key of ['on', 'No', 'y', '0644', '0X1f', '1_000', '08', '1.5', 'true', '~']) {
      assert.match(problemOf(`${key}: 1\n`), /^f.yaml:1:1: a key has to be text; put .* in quotes/);
      assert.deepEqual(read(`"${key}": 1\n`).problems, []);
    }
  });

  it('is refused where JSON has no such value', () => {
    assert.match(problemOf('a: .inf\n'), /JSON can't express/);
    assert.match(problemOf('a: 12345678901234567890\n'), /too large/);
    assert.match(problemOf('1: a\n'), /a key has to be text/);
    assert.match(problemOf('? [a]\n: b\n'), /a key has to be text/);
    assert.match(problemOf('a: !!binary aGk=\n'), /unknown scalar tag/);
    assert.match(problemOf('a: \0\n'), /not YAML/);
  });

  it('is refused where it uses what kubectl has and YAML 1.2 has not', () => {
    assert.match(problemOf('a: &a {b: 1}\nc:\n  <<: *a\n'), /^f.yaml:3:3: merge keys/);
  });
});

describe('aliases', () => {
  it('stand for what they name', () => {
    const { values, documents } = read('a: &a {b: 1}\nc: *a\n');
    assert.deepEqual(values, [{ a: { b: 1 }, c: { b: 1 } }]);
    assert.deepEqual(documents[0]?.position(['c']), { line: 2, column: 4 });
  });

  it('must not contain themselves, grow without bound, or name nothing', () => {
    assert.match(problemOf('a: &a [*a]\n'), /contains itself/);
    assert.match(problemOf('a: *b\n'), /there is no anchor &b/);
    let bomb = 'a0: &a0 [lol]\n';
    for (let i = 1; i < 40; i++) bomb += `a${i}: &a${i} [*a${i - 1}, *a${i - 1}]\n`;
    assert.match(problemOf(bomb), /a bomb/);
    assert.match(problemOf(`a: &a 1\nb: [${'*a, '.repeat(101)}]\n`), /more than 100 aliases/);
  });
});

describe('limits', () => {
  it('hold for size, depth and number of documents', () => {
    assert.match(problemOf('a'.repeat(1024 * 1024 + 1)), /at most 1 MiB/);
    assert.match(problemOf('['.repeat(70) + ']'.repeat(70)), /nested more than 64 levels/);
    assert.match(
      problemOf('--- 1\n'.repeat(1001)),
      /^f.yaml:1001:1: expected at most 1000 documents/,
    );
  });

  it('keep any text from doing harm', () => {
    const pieces = fc.constantFrom(
      '---',
      '\n',
      'a',
      ': ',
      '- ',
      '&a ',
      '*a',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '|',
      '\t',
      '  ',
      '#',
      '%',
      '!',
      '\r\n',
      '?',
      ',',
      '...',
      '<<',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const text = parts.join('');
        const { documents, problems } = readDocuments(text, 'f.yaml');
        const lines = text.split(/\r\n|\n|\r/).length;
        for (const { line, column } of problems)
          assert.ok(line >= 1 && line <= lines && column >= 1);
        for (const document of documents) assert.ok(document.line >= 1 && document.line <= lines);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bytes that are not UTF-8', () => {
  it('are found where they are', () => {
    const bytes = Buffer.concat([
      Buffer.from('a: ä\nb: x'),
      Buffer.from([0xe4]),
      Buffer.from('\n'),
    ]);
    assert.deepEqual(decodeUtf8(bytes), { invalidAt: { line: 2, column: 5 } });
    assert.deepEqual(decodeUtf8(Buffer.from('ä')), { text: 'ä' });
  });
});
