/** What needs no engine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { ReachRules } from '../../../builders/docker/addresses.ts';
import {
  checkArchives,
  insideUri,
  releaseFolder,
  sourcesList,
  type DeclaredArchive,
} from '../../../builders/docker/archives.ts';
import { dependencyParagraph } from '../../../builders/docker/control-file.ts';
import { connect } from '../../../builders/docker/connect.ts';
import { checkEngine } from '../../../builders/docker/engine.ts';
import { framesOf } from '../../../builders/docker/frames.ts';
import { imagesToPrune } from '../../../builders/docker/prune.ts';
import { openDockerBuilder } from '../../../builders/docker/index.ts';
import { checkRequest, type RunRequest } from '../../../builders/docker/request.ts';
import { sourceTar } from '../../../builders/docker/source-tar.ts';
import { readTar, writeTar, type TarHeader } from '../../../builders/docker/tar.ts';
import { unmetDependencies } from '../../../builders/docker/unmet.ts';
import { verdictOf } from '../../../builders/docker/verdict.ts';
import { tempDir } from '../../world/temp.ts';
import { limits, scriptRequest } from './world.ts';

const key = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n…';
const archive: DeclaredArchive = {
  uri: 'https://deb.example.org/debian',
  suites: ['bookworm'],
  components: ['main', 'non-free/x'],
  key,
};

describe('declared archives', () => {
  it('make a sources.list of themselves and nothing else', () => {
    const flat = {
      ...archive,
      uri: 'http://example.org:8080/x/',
      suites: ['./'],
      components: [],
      frozen: true,
    };
    checkArchives([archive, flat]);
    assert.equal(
      sourcesList([archive, flat], 'arm64'),
      `deb [arch=arm64 signed-by=/etc/apt/cairn/archive-0.asc] http://deb.example.org/debian/ bookworm main non-free/x
deb [arch=arm64 signed-by=/etc/apt/cairn/archive-1.asc check-valid-until=no] http://example.org:8080/x/ ./
`,
    );
    const uri = 'https://deb.example.org:8443/a';
    assert.equal(insideUri({ uri }), 'http://deb.example.org:8443/a/');
    assert.equal(insideUri({ uri, alias: 'http://here.internal/b' }), 'http://here.internal/b/');
    assert.deepEqual(['x/updates', './', 'sub/', '/'].map(releaseFolder), [
      'dists/x/updates/',
      '',
      'sub/',
      '',
    ]);
  });

  it('may be at an IPv6 address', () => {
    checkArchives([{ ...archive, uri: 'http://[fd00::1]:8080/debian' }]);
    const inside = insideUri({ uri: 'https://[fd00::1]:8080/debian' });
    assert.equal(inside, 'http://[fd00::1]:8080/debian/');
  });

  for (const [what, wrong] of [
    ['another protocol', { uri: 'file:///etc' }],
    ['a password', { uri: 'https://me:secret@example.org/' }],
    ['an option', { uri: 'https://example.org/ [trusted=yes]' }],
    ['an option after an address', { uri: 'https://[fd00::1]/ [trusted=yes]' }],
    ['a query', { uri: 'https://example.org/?x' }],
    ['a suite with a line end', { suites: ['x main\ndeb http://evil/ y'] }],
    ['a suite that climbs', { suites: ['../x'] }],
    ['no suite', { suites: [] }],
    ['a flat repository with components', { suites: ['./'] }],
    ['a suite without components', { components: [] }],
    ['an odd component', { components: ['[trusted=yes]'] }],
    ['a key that is none', { key: '/etc/apt/trusted.gpg' }],
  ] as const) {
    it(`may not have ${what}`, () => {
      assert.throws(
        () => checkArchives([{ ...archive, ...wrong }]),
        (error: Error) => {
          assert.equal(error.name, 'ArchiveInvalid');
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }
});

describe('what a build depends on', () => {
  it('is taken from the first paragraph of debian/control, in one form', () => {
    const control = `# comment
Source: hello
Build-Depends: debhelper-compat (= 13),
# another
 libfoo-dev (>= 2~) [amd64 !i386] <!nocheck>,
 a | b:any
Build-Conflicts: bad
Build-Depends-Indep: doc

Package: hello
Build-Depends: not-this
`;
    const paragraph = `Source: cairn-build
Build-Depends: a | b:any, debhelper-compat (= 13), extra, libfoo-dev (>= 2~) [amd64 !i386] <!nocheck>
Build-Depends-Indep: doc
Build-Conflicts: bad
`;
    assert.equal(dependencyParagraph({ control, relations: ['extra'] }), paragraph);
    assert.equal(
      dependencyParagraph({ control: control.replaceAll('\n', '\r\n'), relations: ['extra'] }),
      paragraph,
    );
    assert.equal(dependencyParagraph({}), 'Source: cairn-build\n');
  });

  for (const [what, dependencies] of [
    ['options of apt', { relations: ['-o=APT::Get::AllowUnauthenticated=1'] }],
    ['a file', { relations: ['./evil.deb'] }],
    ['another field', { relations: ['x\nBuild-Depends-Arch: y (!)'] }],
    ['text', { control: 'Source: x\nthis is no field\n' }],
    ['a field that comes twice', { control: 'Build-Depends: a\nbuild-depends: b\n' }],
    ['shell', { control: 'Build-Depends: $(reboot)\n' }],
  ] as const) {
    it(`is not ${what}`, () => {
      assert.throws(() => dependencyParagraph(dependencies), { name: 'DependenciesInvalid' });
    });
  }
});

describe('what apt says of dependencies', () => {
  it('is understood of apt 2', () => {
    const output = `The following packages have unmet dependencies:
 builddeps:/tmp/cairn-build : Depends: debhelper (>= 99) but it is not going to be installed
                              Depends: nosuch-dev (>= 3) but it is not installable
                              Depends: libx:any but 1.0 is to be installed
E: Unable to correct problems, you have held broken packages.`;
    assert.deepEqual(unmetDependencies(output), ['debhelper (>= 99)', 'nosuch-dev (>= 3)', 'libx']);
  });

  it('is understood of apt 3', () => {
    const output = `Unsatisfied dependencies:
 builddeps:/tmp/cairn-build : Depends: nosuch-dev but it is not installable
Error: Unable to correct problems, you have held broken packages.`;
    assert.deepEqual(unmetDependencies(output), ['nosuch-dev']);
  });

  it('is another failure when it is about something else', () => {
    assert.equal(unmetDependencies('E: Failed to fetch http://x/ 404 Not Found'), undefined);
    assert.equal(unmetDependencies(''), undefined);
  });
});

describe('a source tree', () => {
  const file: TarHeader = {
    name: 'a',
    type: 'file',
    mode: 0o4777,
    uid: 0,
    gid: 0,
    mtime: new Date(),
  };

  async function copied(entries: readonly (readonly [TarHeader, string])[]) {
    const tree = pack();
    for (const [header, content] of entries) tree.entry(header, content);
    tree.finalize();
    const tar = sourceTar(Readable.from(tree, { objectMode: false }), {
      epoch: 1000,
      mostBytes: 100,
    });
    const found: [string, string, number, string][] = [];
    for await (const { header, content } of readTar(tar)) {
      assert.deepEqual([header.uid, header.gid, header.mtime], [2952, 2952, new Date(1000_000)]);
      found.push([
        header.name,
        header.type,
        header.mode,
        (await buffer(Readable.from(content))).toString(),
      ]);
    }
    return found;
  }

  it('is the same for every build: one owner, one time, two modes', async () => {
    const found = await copied([
      [{ name: './', type: 'directory' }, ''],
      [{ ...file, name: './run' }, '#!'],
      [{ ...file, name: 'debian/x', mode: 0o600 }, 'x'],
      [{ name: 'link', type: 'symlink', linkname: '/etc/passwd' }, ''],
    ]);
    assert.deepEqual(found, [
      ['source', 'directory', 0o755, ''],
      ['source/run', 'file', 0o755, '#!'],
      ['source/debian/x', 'file', 0o644, 'x'],
      ['source/link', 'symlink', 0o777, ''],
    ]);
  });

  for (const [what, entries, message] of [
    ['climbs', [[{ ...file, name: 'a/../../x' }, '']], /a file with the name/],
    ['is absolute', [[{ ...file, name: '/etc/passwd' }, '']], /a file with the name/],
    ['has a device', [[{ ...file, type: 'character-device' }, '']], /a character-device/],
    ['has a second name of a file', [[{ ...file, type: 'link', linkname: 'b' }, '']], /a link/],
    ['is too large', [[file, 'x'.repeat(101)]], /more than 100 bytes/],
    [
      'leaves itself by a link',
      [
        [{ name: 'd', type: 'symlink', linkname: '/etc' }, ''],
        [{ ...file, name: 'd/passwd' }, ''],
      ],
      /in a folder that is a link/,
    ],
    [
      'is itself a link',
      [
        [{ name: '.', type: 'symlink', linkname: '/etc' }, ''],
        [file, ''],
      ],
      /is a link/,
    ],
  ] as const) {
    it(`is refused when it ${what}`, async () => {
      await assert.rejects(copied(entries), { name: 'SourceInvalid', message });
    });
  }

  it('is refused when it is no tar stream, or ends too early', async () => {
    const whole = await buffer(writeTar(async (put) => await put({ name: 'a' }, 'x'.repeat(2000))));
    for (const bytes of [Buffer.alloc(1024, 'x'), whole.subarray(0, 1500)]) {
      await assert.rejects(
        buffer(sourceTar(Readable.from([bytes]), { epoch: 0, mostBytes: 10_000 })),
      );
    }
  });
});

describe('how a run ended', () => {
  const exit = { exitCode: 0, outOfMemory: false, error: '' };

  it('is success with 0 only', () => {
    assert.equal(verdictOf(exit, undefined), undefined);
  });

  for (const [exitCode, because] of [
    [1, 'ExitCode'],
    [119, 'ExitCode'],
    [120, 'TimeLimit'],
    [121, 'SilenceLimit'],
    [122, 'OutputLimit'],
    [123, 'ProcessLimit'],
    [124, 'OutOfMemory'],
  ] as const) {
    it(`is ${because} with ${exitCode}`, () => {
      assert.partialDeepStrictEqual(verdictOf({ ...exit, exitCode }, undefined), {
        result: 'FailedToBuild',
        because,
      });
    });
  }

  it('is the reason that was written down, if there is one', () => {
    const end = { because: 'DiskLimit', message: 'full' } as const;
    assert.partialDeepStrictEqual(verdictOf({ ...exit, exitCode: 137 }, end), {
      because: 'DiskLimit',
    });
    const cancelled = { because: 'Cancelled', message: 'no' } as const;
    assert.deepEqual(verdictOf(exit, cancelled), { result: 'Cancelled', message: 'no' });
  });

  it('is a want of memory if the engine says so, else the engine’s fault', () => {
    assert.partialDeepStrictEqual(
      verdictOf({ ...exit, exitCode: 137, outOfMemory: true }, undefined),
      {
        because: 'OutOfMemory',
      },
    );
    for (const exitCode of [137, 143, 255]) {
      assert.partialDeepStrictEqual(verdictOf({ ...exit, exitCode }, undefined), {
        result: 'BuilderLost',
      });
    }
  });
});

describe('images', () => {
  const day = 86_400_000;
  const now = 100 * day;
  const image = (id: string, daysAgo: number, bytes = 10) => ({
    id,
    bytes,
    usedAt: now - daysAgo * day,
  });

  it('go when they are too old, too many or too large, the longest unused first', () => {
    const images = [image('new', 0), image('b', 2), image('old', 40), image('a', 1)];
    const all = { count: 100, ageDays: 30, bytes: 1000 };
    assert.deepEqual(imagesToPrune(images, all, now), ['old']);
    assert.deepEqual(imagesToPrune(images, { ...all, count: 2 }, now), ['old', 'b']);
    assert.deepEqual(imagesToPrune(images, { ...all, bytes: 15 }, now), ['old', 'b', 'a']);
    assert.deepEqual(imagesToPrune(images, { count: 0, ageDays: 0, bytes: 0 }, now), [
      'old',
      'b',
      'a',
    ]);
  });
});

describe('addresses', () => {
  const rules = new ReachRules({ open: ['10.0.0.5:3128'], closed: ['198.41.0.0/24'] });

  it('are public or not', () => {
    const refused = [
      ...[
        '127.0.0.1',
        '10.1.2.3',
        '172.17.0.1',
        '192.168.1.1',
        '169.254.169.254',
        '0.0.0.0',
        '100.64.0.1',
      ],
      ...[
        '255.255.255.255',
        '224.0.0.1',
        '198.41.0.4',
        '::1',
        '::',
        'fe80::1',
        'fd00::1',
        '::ffff:127.0.0.1',
      ],
      ...[
        '::ffff:8.8.8.8',
        '64:ff9b::7f00:1',
        '2002:7f00:1::',
        '2001:0:1::',
        'ff02::1',
        'localhost',
        '',
      ],
    ];
    for (const address of refused) assert.equal(rules.isPublic(address), false, address);
    for (const address of ['8.8.8.8', '151.101.2.132', '2a04:4e42::644']) {
      assert.equal(rules.isPublic(address), true, address);
    }
  });

  it('are looked up before they are judged, whatever they are written as', async () => {
    for (const host of ['localhost', '127.1', '2130706433', '0x7f000001', '[::1]']) {
      assert.deepEqual(await rules.addressesOf(host, 80).catch(() => []), [], host);
    }
    assert.equal((await rules.addressesOf('10.0.0.5', 3128)).length, 1);
    assert.equal((await rules.addressesOf('10.0.0.5', 3129)).length, 0);
  });

  it('have to be ranges', () => {
    for (const range of ['example.org', '10.0.0.0', '10.0.0.0/x']) {
      assert.throws(() => new ReachRules({ closed: [range] }), RangeError);
    }
  });
});

describe('the engine', () => {
  it('is named when it does not answer, or has an address of another sort', async () => {
    const engine = { address: 'unix:///nowhere/docker.sock' };
    assert.deepEqual(await checkEngine(connect(engine), engine), {
      ok: false,
      message:
        "Docker doesn't answer at unix:///nowhere/docker.sock: connect ENOENT /nowhere/docker.sock",
    });
    for (const address of ['', 'docker.sock', 'ssh://host', 'tcp://host', 'http://host:1']) {
      assert.throws(() => connect({ address }), {
        name: 'EngineError',
        message: /is no address of Docker/,
      });
    }
  });

  it('is the one that was asked for, whatever DOCKER_HOST says', async () => {
    process.env.DOCKER_HOST = 'tcp://127.0.0.1:1';
    try {
      const engine = { address: '/nowhere/docker.sock' };
      const health = await checkEngine(connect(engine), engine);
      assert.match(health.ok ? '' : health.message, /ENOENT/);
    } finally {
      delete process.env.DOCKER_HOST;
    }
  });

  it('is used under the name of an owner', (t) => {
    const options = { engine: { address: '/x' }, folder: tempDir(t), concurrency: 1 };
    for (const owner of ['', 'A', 'a b', '-a', 'a'.repeat(41)]) {
      assert.throws(() => openDockerBuilder({ ...options, owner }), {
        name: 'EngineError',
      });
    }
  });

  it('cuts what a container wrote into frames, which are put together again', async () => {
    const frame = (channel: number, text: string) => {
      const header = Buffer.alloc(8);
      header.writeUInt8(channel, 0);
      header.writeUInt32BE(text.length, 4);
      return Buffer.concat([header, Buffer.from(text)]);
    };
    const bytes = Buffer.concat([
      frame(1, 'one'),
      frame(2, 'two'),
      frame(1, ''),
      frame(1, 'three'),
    ]);
    for (const size of [1, 3, 8, 100]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      const texts = { stdout: '', stderr: '' };
      for await (const { channel, bytes: part } of framesOf(Readable.from(pieces))) {
        texts[channel] += part.toString();
      }
      assert.deepEqual(texts, { stdout: 'onethree', stderr: 'two' });
    }
  });
});

describe('a request', () => {
  const request = scriptRequest('sha256:x', 'true');

  for (const [what, wrong] of [
    ['an id with a slash', { id: 'a/b' }],
    ['no command', { command: [] }],
    ['a variable of two', { environment: { 'A=B\nC': 'd' } }],
    ['a zero byte', { command: ['a\0b'] }],
    ['no time', { sourceDateEpoch: -1 }],
    ['a limit of nothing', { limits: { ...limits, seconds: 0 } }],
    ['no limit at all', { limits: { ...limits, memoryBytes: Number.POSITIVE_INFINITY } }],
  ] satisfies [string, Partial<RunRequest>][]) {
    it(`with ${what} is refused`, () => {
      assert.throws(() => checkRequest({ ...request, ...wrong }), { name: 'RequestInvalid' });
    });
  }
});
