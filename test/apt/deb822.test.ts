import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatStanza, parseStanzas } from '../../apt/deb822.ts';

describe('a control file', () => {
  it('is read as paragraphs of fields, in their order and whatever the case', () => {
    const [first, second, ...more] = parseStanzas('A: 1\nb:2\n\n\nA: 3\n');

    assert.deepEqual(
      first?.fields.map(({ name, value }) => [name, value]),
      [
        ['A', '1'],
        ['b', '2'],
      ],
    );
    assert.equal(first?.get('B'), '2');
    assert.equal(second?.get('a'), '3');
    assert.equal(second?.line, 5);
    assert.equal(second?.get('b'), undefined);
    assert.deepEqual(more, []);
  });

  it('may have continuation lines, comments and Windows line ends', () => {
    const [stanza] = parseStanzas('# x\r\nA: 1\r\n 2 \r\n# y\r\n\t3\r\n  4\r\nB:\r\n');

    assert.equal(stanza?.get('A'), '1\n2\n3\n 4');
    assert.equal(stanza?.get('B'), '');
  });

  it('may be empty', () => {
    for (const text of ['', '\n\n', '# only a comment\n']) assert.deepEqual(parseStanzas(text), []);
  });

  for (const [wrong, message] of [
    ['A: 1\nnonsense\n', /line 2: expected "Field: value"/],
    [' 1\n', /line 1: a continuation line without a field/],
    ['A: 1\n\n 2\n', /line 3: a continuation line/],
    ['A: 1\nB: 2\na: 3\n', /line 3: field a comes twice/],
    [': 1\n', /line 1/],
    ['-A: 1\n', /line 1/],
    ['A B: 1\n', /line 1/],
  ] as const) {
    it(`is refused when it says ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => parseStanzas(wrong, 'IndexInvalid'), {
        reason: 'IndexInvalid',
        message,
      });
    });
  }

  it('comes back from being written and read', () => {
    const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/);
    const line = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
    const value = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'));
    const fields = fc.uniqueArray(fc.record({ name, value }), {
      minLength: 1,
      selector: (field) => field.name.toLowerCase(),
    });

    fc.assert(
      fc.property(fields, (written) => {
        const [stanza] = parseStanzas(formatStanza(written));
        const read = stanza?.fields.map((field) => ({ name: field.name, value: field.value }));
        assert.deepEqual(
          read,
          written.map((field) => ({ name: field.name, value: field.value })),
        );
      }),
    );
  });

  it('is written with a dot for an empty line, and without blanks at the ends of lines', () => {
    assert.equal(formatStanza([{ name: 'A', value: '\nx \n\ny' }]), 'A:\n x\n .\n y\n');
  });
});
