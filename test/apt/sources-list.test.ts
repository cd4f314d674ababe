import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generateSigningKey, readKeyring } from '../../apt/openpgp.ts';
import {
  formatDeb822Source,
  parseDeb822Sources,
  parseSourcesList,
} from '../../apt/sources-list.ts';
import { run, temporaryFolder } from './tools.ts';

const key = (await generateSigningKey({ userId: 'x', now: new Date() })).publicArmored;

describe('a sources.list', () => {
  it('is read line by line, with options and comments', () => {
    const text =
      '# a comment\n\ndeb http://a.example/debian stable main contrib # and another\r\n' +
      'deb-src\t[ arch=amd64,arm64 signed-by=/usr/share/keyrings/a.gpg,ABCDEF0123! lang=en ] ' +
      'https://b.example/  sid  main\n' +
      'deb [trusted=yes] file:/srv ./\n#deb http://off.example x y\n';

    assert.deepEqual(parseSourcesList(text, 'sources.list'), [
      {
        types: ['deb'],
        uris: ['http://a.example/debian'],
        suites: ['stable'],
        components: ['main', 'contrib'],
        trusted: false,
        enabled: true,
        file: 'sources.list',
        line: 3,
      },
      {
        types: ['deb-src'],
        uris: ['https://b.example/'],
        suites: ['sid'],
        components: ['main'],
        architectures: ['amd64', 'arm64'],
        signedBy: { paths: ['/usr/share/keyrings/a.gpg'], fingerprints: ['ABCDEF0123!'] },
        trusted: false,
        enabled: true,
        file: 'sources.list',
        line: 4,
      },
      {
        types: ['deb'],
        uris: ['file:/srv'],
        suites: ['./'],
        components: [],
        trusted: true,
        enabled: true,
        file: 'sources.list',
        line: 5,
      },
    ]);
  });

  for (const [wrong, message] of [
    ['rpm http://x y z', /a.list:2: type "rpm" is neither deb nor deb-src/],
    ['deb', /a.list:2: expected a URI and a suite/],
    ['deb http://x', /a.list:2: expected a URI and a suite/],
    ['deb http://x stable', /a.list:2: stable needs components/],
    ['deb http://x ./ main', /a.list:2: .\/ takes no components/],
  ] as const) {
    it(`is refused when it says ${wrong}`, () => {
      assert.throws(() => parseSourcesList(`\n${wrong}\n`, 'a.list'), {
        reason: 'ConfigInvalid',
        message,
      });
    });
  }
});

describe('a .sources file', () => {
  it('is read with several types, addresses and suites', () => {
    const text =
      '# Debian\nTypes: deb deb-src\nURIs: http://a http://b\nSuites: stable\n stable-updates\n' +
      'Components: main contrib\nArchitectures: amd64\nSigned-By: /a.gpg\n /b.asc\n\n' +
      'Types: deb\nURIs: http://c\nSuites: ./\nEnabled: no\nTrusted: yes\n';

    assert.deepEqual(parseDeb822Sources(text, 'x.sources'), [
      {
        types: ['deb', 'deb-src'],
        uris: ['http://a', 'http://b'],
        suites: ['stable', 'stable-updates'],
        components: ['main', 'contrib'],
        architectures: ['amd64'],
        signedBy: { paths: ['/a.gpg', '/b.asc'], fingerprints: [] },
        trusted: false,
        enabled: true,
        file: 'x.sources',
        line: 2,
      },
      {
        types: ['deb'],
        uris: ['http://c'],
        suites: ['./'],
        components: [],
        trusted: true,
        enabled: false,
        file: 'x.sources',
        line: 11,
      },
    ]);
  });

  for (const [wrong, message] of [
    ['Types: deb\nSuites: x\nComponents: y\n', /x.sources:1: no URIs field/],
    ['Types: deb\nURIs: http://x\nSuites: x\n', /x.sources:1: x needs components/],
    ['Types: deb\nnonsense\n', /x.sources: line 2: expected "Field: value"/],
  ] as const) {
    it(`is refused when it says ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => parseDeb822Sources(wrong, 'x.sources'), {
        reason: 'ConfigInvalid',
        message,
      });
    });
  }
});

describe('what Cairn writes for clients', () => {
  const source = {
    comment: 'of environment production\n\nby Cairn',
    types: ['deb', 'deb-src'],
    uris: ['https://cairn.example/environments/production/ftp.debian.org/debian'],
    suites: ['bookworm', 'bookworm-updates'],
    components: ['main', 'contrib'],
    architectures: ['amd64'],
    signedByKey: key,
    checkValidUntil: false,
    snapshot: '20261121T065205Z',
  } as const;

  it('comes back with the same meaning, keys included', async () => {
    const [read] = parseDeb822Sources(formatDeb822Source(source), 'x');

    assert.deepEqual(read?.uris, source.uris);
    assert.deepEqual(read?.suites, source.suites);
    assert.deepEqual(read?.components, source.components);
    assert.deepEqual(read?.types, source.types);
    assert.deepEqual(read?.architectures, source.architectures);
    assert.equal(read?.signedBy?.inline, key);
    assert.equal((await readKeyring(read?.signedBy?.inline ?? '')).keys.length, 1);
  });

  it('is understood by apt itself', () => {
    const folder = temporaryFolder();
    for (const name of ['sources.list.d', 'state/lists/partial']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    writeFileSync(join(folder, 'sources.list.d/cairn.sources'), formatDeb822Source(source));
    const settings = {
      'Dir::Etc::SourceList': '/dev/null',
      'Dir::Etc::SourceParts': join(folder, 'sources.list.d'),
      'Dir::State': join(folder, 'state'),
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);

    const uris = run('apt-get', [...options, 'update', '--print-uris']).toString();

    for (const suite of source.suites) {
      assert.ok(uris.includes(`'${source.uris[0]}/dists/${suite}/InRelease'`), uris);
    }
  });

  it('holds the key as lines that begin with a blank, and no empty line', () => {
    const text = formatDeb822Source(source);

    assert.match(text, /^Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n \.\n /m);
    assert.ok(!text.includes('\n\n'));
    assert.match(text, /^# of environment production\n#\n# by Cairn\nTypes: deb deb-src\n/);
    assert.match(text, /^Check-Valid-Until: no$/m);
    assert.match(text, /^Snapshot: 20261121T065205Z$/m);
  });

  it('leaves out what is not asked for', () => {
    const { types, uris, architectures } = source;

    assert.equal(
      formatDeb822Source({
        types,
        uris,
        suites: ['./'],
        components: [],
        architectures,
        trusted: true,
      }),
      `Types: deb deb-src\nURIs: ${source.uris[0]}\nSuites: ./\nArchitectures: amd64\nTrusted: yes\n`,
    );
  });

  it('cannot be made to say more than one value', () => {
    assert.throws(() => formatDeb822Source({ ...source, uris: ['http://x\nTrusted: yes'] }), {
      reason: 'ConfigInvalid',
    });
  });
});
