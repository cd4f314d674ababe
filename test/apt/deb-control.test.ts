import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatPackage, versionProblem } from '../../apt/deb.ts';
import { parseStanzas } from '../../apt/deb822.ts';
import { handMade, plainControl, read } from './debs.ts';
import { tryRun } from './tools.ts';

/** The plain control file with other values; undefined takes a field out. */
function controlWith(fields: Readonly<Record<string, string | undefined>>): string {
  const all = { Package: 'x1', Version: '1', Architecture: 'all', ...fields };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined);
  return lines.map(([name, value]) => `${name}: ${value}\n`).join('');
}

async function isRefused(control: string, problem: RegExp): Promise<void> {
  await assert.rejects(read(handMade({ control })), ({ message, reason }) => {
    assert.equal(reason, 'PackageInvalid');
    assert.match(message, /^control\.tar: control/);
    assert.match(message, problem);
    return true;
  });
}

describe('a control file is refused', () => {
  for (const field of ['Package', 'Version', 'Architecture']) {
    it(`without ${field}`, () =>
      isRefused(controlWith({ [field]: undefined }), new RegExp(`no field ${field}$`)));
    it(`with an empty ${field}`, () =>
      isRefused(controlWith({ [field]: '' }), new RegExp(`field ${field} is empty$`)));
  }

  for (const name of [
    'X',
    'x',
    'Hello',
    '../x',
    'x/y',
    '.x',
    '+x',
    'x_y',
    'x y',
    'ö1',
    `${'x'.repeat(121)}`,
  ]) {
    it(`with the name ${name.slice(0, 9)}`, () =>
      isRefused(controlWith({ Package: name }), /field Package: /));
  }

  for (const architecture of [
    'any',
    'linux-any',
    'source',
    'AMD64',
    'amd64 i386',
    '../x',
    '-x',
    'a_b',
  ]) {
    it(`with the architecture ${architecture}`, () =>
      isRefused(
        controlWith({ Architecture: architecture }),
        /field Architecture: expected one such as amd64/,
      ));
  }

  for (const version of [
    'a',
    'v1',
    '1/2',
    '../1',
    '1 2',
    ':1',
    'x:1',
    '1:',
    '1-',
    '-1',
    '1_2',
    '4294967296:1',
    '1é',
    '1-2_3',
  ]) {
    it(`with the version ${version}`, () =>
      isRefused(controlWith({ Version: version }), /field Version: /));
  }

  for (const source of ['../x', 'x1 (1', 'x1 (../1)', 'x1 ()', 'x1 (1) y', '(1)']) {
    it(`with the source ${source}`, () =>
      isRefused(controlWith({ Source: source }), /field Source: /));
  }

  it('when all that together makes too long a name for a file', () =>
    isRefused(
      controlWith({
        Package: 'x'.repeat(120),
        Version: '1'.repeat(120),
        Architecture: 'a'.repeat(20),
      }),
      /field Package: no file can have the name "xxx/,
    ));

  const broken: Readonly<Record<string, [text: string, problem: RegExp]>> = {
    'without a newline at its end': [plainControl.trimEnd(), /: no newline at its end$/],
    'that is empty': ['\n\n', /: it is empty$/],
    'with two paragraphs': [`${plainControl}\n${plainControl}`, /line 13: only one paragraph/],
    'with a field twice': [`${plainControl}pACKAGE: y\n`, /line 12: field pACKAGE comes twice$/],
    'with a line that is no field': [
      `${plainControl}what\n`,
      /line 12: expected "Field: value", not "what"$/,
    ],
    'with a comment': [`# x\n${plainControl}`, /line 1: expected "Field: value"/],
    'with a hidden comment': [`#x: y\n${plainControl}`, /line 1: expected "Field: value"/],
    'with a field that begins with a hyphen': [`-x: y\n${plainControl}`, /line 1: expected/],
    'with a line of blanks': [`${plainControl} \t\nX: y\n`, /line 12: a line of blanks only/],
    'that begins with a continuation line': [` x\n${plainControl}`, /line 1: a continuation line/],
    'with a NUL': [`${plainControl}X: \0\n`, /line 12: it has a control character$/],
    'with a carriage return within a line': [
      `${plainControl}X: a\rPackage: b\n`,
      /line 12: it has a control/,
    ],
    'with a continued name': [
      'Package: x1\n y\nVersion: 1\nArchitecture: all\n',
      /field Package: expected/,
    ],
  };
  for (const [title, [text, problem]] of Object.entries(broken)) {
    it(title, () => isRefused(text, problem));
  }

  it('that is not UTF-8', async () => {
    const bytes = handMade({ control: `${plainControl}X: @@\n` });
    bytes.fill(0xff, bytes.indexOf('@@'), bytes.indexOf('@@') + 2);
    await assert.rejects(read(bytes), {
      reason: 'PackageInvalid',
      message: /it is not UTF-8 text$/,
    });
  });
});

describe('a control file', () => {
  it('may have lines that end as on Windows, and empty ones around it', async () => {
    const control = `\n${controlWith({ Depends: 'a,\r\n b\r' })}\n\n`;
    const { control: read1 } = await read(handMade({ control }));
    assert.equal(read1.get('depends'), 'a,\n b');
  });

  it('may have empty fields and fields that nobody knows', async () => {
    const deb = await read(handMade({ control: controlWith({ 'X-Odd!': '', Other: '\n a' }) }));
    assert.match(formatPackage(deb, 'x.deb'), /^X-Odd!:\nOther:\n a\nFilename/m);
  });

  it('comes out of its index with the values that went in, whatever they are', async () => {
    const line = fc.stringMatching(/^[!-~ö☃][ -~ö☃]{0,30}$/u);
    const value = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n '));
    const name = fc.stringMatching(/^X-[!-9;-~]{1,9}$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value), async (fields) => {
        const deb = await read(handMade({ control: controlWith(lowered(fields)) }));
        const [stanza, ...more] = parseStanzas(formatPackage(deb, 'pool/x.deb'));
        assert.equal(more.length, 0);
        for (const [field, written] of Object.entries(lowered(fields))) {
          const lines = written.split('\n').map((one) => one.trim());
          assert.deepEqual(
            stanza
              ?.get(field)
              ?.split('\n')
              .map((one) => one.trim()),
            lines,
          );
        }
        assert.equal(stanza?.get('Size'), String(deb.size));
      }),
    );
  });
});

/** No two names that differ in their case only. */
function lowered(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

describe('the syntax of versions', () => {
  it('is that of dpkg', () => {
    const anything = fc.stringMatching(/^[0-9a-zA-Z.+~:_ -]{1,12}$/);
    const likely = fc.stringMatching(/^([0-9]{1,3}:)?[0-9][0-9a-z.+~-]{0,8}(-[0-9a-z+.~]{0,4})?$/);
    fc.assert(
      fc.property(fc.oneof(anything, likely), (version) => {
        fc.pre(version.trim() === version);
        const { status } = tryRun('dpkg', ['--validate-version', '--', version]);
        assert.equal(versionProblem(version) === undefined, status === 0, version);
      }),
      { numRuns: 300 },
    );
  });
});
