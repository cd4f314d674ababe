import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRelease } from '../../../apt/release.ts';
import { isOptional, namesPoolFiles, select } from '../../../reconcilers/mirror/select.ts';
import { releaseText, type ReleaseShape } from './debian-release.ts';
import { specOf } from './mirror-world.ts';

const debian: ReleaseShape = {
  components: ['main', 'contrib', 'non-free-firmware', 'non-free'],
  architectures: ['all', 'amd64', 'arm64', 'i386'],
};

const security: ReleaseShape = {
  suite: 'bookworm-security',
  components: ['updates/main', 'updates/contrib'],
  directories: ['main', 'contrib'],
  architectures: ['all', 'amd64', 'arm64'],
};

/** What is selected of a Release: the bases of its groups. */
function selected(shape: ReleaseShape, spec: object = {}) {
  const release = parseRelease(releaseText(shape));
  const whole = { url: 'http://deb.example.org/debian', suites: ['bookworm'], ...spec };
  const selection = select('bookworm', release, specOf(whole));
  return { ...selection, bases: selection.groups.map(({ base }) => base) };
}

const has = (bases: readonly string[], part: string) => bases.some((base) => base.includes(part));

test('takes all components and architectures when the spec names none', () => {
  const { components, architectures, bases } = selected(debian);

  assert.deepEqual(components, debian.components);
  assert.deepEqual(architectures, ['amd64', 'arm64', 'i386']);
  for (const component of debian.components) {
    for (const architecture of debian.architectures) {
      assert.ok(bases.includes(`${component}/binary-${architecture}/Packages`));
    }
  }
});

test('takes what the spec names, and architecture all along with it', () => {
  const { components, architectures, bases } = selected(debian, {
    components: ['main', 'non-free'],
    architectures: ['amd64'],
  });

  assert.deepEqual(components, ['main', 'non-free']);
  assert.deepEqual(architectures, ['amd64']);
  const packages = bases.filter((base) => base.endsWith('/Packages'));
  assert.deepEqual(packages.sort(), [
    'main/binary-all/Packages',
    'main/binary-amd64/Packages',
    'non-free/binary-all/Packages',
    'non-free/binary-amd64/Packages',
  ]);
  assert.ok(!has(bases, 'non-free-firmware'), 'a longer name is another component');
  assert.ok(!has(bases, 'arm64') && !has(bases, 'i386'));
});

test('all and source among the architectures of a spec do no harm', () => {
  const { architectures, bases } = selected(debian, { architectures: ['all', 'source', 'amd64'] });

  assert.deepEqual(architectures, ['amd64']);
  assert.ok(has(bases, 'binary-all/') && !has(bases, 'source'));
});

test('the contents of the whole suite come along, for the wanted architectures', () => {
  const { bases } = selected(debian, { components: ['main'], architectures: ['arm64'] });

  assert.ok(bases.includes('Contents-arm64') && bases.includes('main/Contents-arm64'));
  assert.ok(!bases.includes('Contents-amd64') && !bases.includes('main/Contents-amd64'));
});

for (const name of ['main', 'updates/main']) {
  test(`finds ${name} in a security archive, whose components have a prefix`, () => {
    const { components, bases } = selected(security, { components: [name] });

    assert.deepEqual(components, ['main']);
    assert.ok(bases.includes('main/binary-amd64/Packages'));
    assert.ok(!has(bases, 'contrib/'));
  });
}

test('takes all of a security archive, whose components have a prefix', () => {
  assert.deepEqual(selected(security).components, ['main', 'contrib']);
});

test('a component of just that name comes before one that ends in it', () => {
  const both = { components: ['backports/main', 'main'], architectures: ['amd64'] };

  const { components, bases } = selected(both, { components: ['main'] });

  assert.deepEqual(components, ['main']);
  assert.ok(bases.every((base) => base.startsWith('main/') || base.startsWith('Contents-')));
});

const families: readonly [option: object, part: string, byDefault: boolean][] = [
  [{ sources: true }, 'source/Sources', false],
  [{ sources: true }, 'Contents-source', false],
  [{ sources: true }, 'source/Release', false],
  [{ installer: true }, 'debian-installer/', false],
  [{ installer: true }, 'Contents-udeb-amd64', false],
  [{ installer: true }, 'installer-amd64/current', false],
  [{ contents: true }, 'main/Contents-amd64', true],
  [{ appstream: true }, 'dep11/Components-amd64', true],
  [{ appstream: true }, 'dep11/icons', true],
  [{ commandNotFound: true }, 'cnf/Commands-amd64', true],
  [{ translations: ['*'] }, 'Translation-pt_BR', true],
  [{ other: true }, 'extra/notes.txt', true],
];

for (const [option, part, byDefault] of families) {
  test(`takes ${part} ${byDefault ? 'unless told otherwise' : 'when asked to'}`, () => {
    const [name = ''] = Object.keys(option);
    const nothing = name === 'translations' ? [] : false;

    assert.equal(has(selected(debian).bases, part), byDefault);
    assert.ok(has(selected(debian, { include: option }).bases, part));
    assert.ok(!has(selected(debian, { include: { [name]: nothing } }).bases, part));
  });
}

test('takes the translations that are asked for', () => {
  const { bases } = selected(debian, { components: ['main'], include: { translations: ['de'] } });

  assert.deepEqual(
    bases.filter((base) => base.includes('i18n')),
    ['main/i18n/Translation-de'],
  );
});

test('never takes patches between states that it never had', () => {
  assert.ok(!has(selected(debian).bases, '.diff/'));
});

test('without a list of architectures or components, takes what there is', () => {
  const { bases } = selected({
    components: [],
    directories: ['main'],
    architectures: ['amd64'],
  });
  assert.ok(bases.includes('main/binary-amd64/Packages'));

  const text = releaseText(debian).replace(/^Architectures: .*\n/m, '');
  const spec = specOf({ url: 'http://deb.example.org/debian', suites: ['bookworm'] });
  const { groups } = select('bookworm', parseRelease(text), spec);
  assert.ok(groups.some(({ base }) => base === 'main/binary-i386/Packages'));
});

const absent: readonly [object, RegExp][] = [
  [{ components: ['main', 'mian'] }, /bookworm has no component mian; .*main, contrib/],
  [{ components: ['free'] }, /no component free/],
  [{ architectures: ['riscv64', 'sparc'] }, /no architecture riscv64, sparc; .*amd64, arm64/],
];

for (const [spec, message] of absent) {
  test(`says what there is instead of ${JSON.stringify(spec)}`, () => {
    assert.throws(() => selected(debian, spec), { reason: 'NotInRelease', message });
  });
}

test('an index has one group, with every form that is listed', () => {
  const { groups } = selected(debian, { components: ['main'], architectures: ['amd64'] });
  const packages = groups.find(({ base }) => base === 'main/binary-amd64/Packages');

  assert.deepEqual(
    packages?.variants.map(({ path }) => path.slice(packages.base.length)),
    ['', '.gz', '.xz'],
  );
  assert.equal(packages?.plain?.path, packages?.base);
});

test('only the plain form may be absent, and only where there is another', () => {
  const { groups } = selected(debian);
  const optional = groups.flatMap((group) =>
    group.variants.filter((file) => isOptional(group, file)).map(({ path }) => path),
  );

  assert.ok(optional.includes('main/binary-amd64/Packages'));
  assert.ok(!optional.some((path) => /\.(gz|xz)$/.test(path)));
  assert.ok(!optional.includes('main/binary-amd64/Release'));
});

test('knows which indexes name pool files', () => {
  const { groups } = selected(debian, {
    components: ['main'],
    architectures: ['amd64'],
    include: { sources: true, installer: true },
  });
  const naming = groups.flatMap((group) => {
    const kind = namesPoolFiles(group);
    return kind ? [`${kind} ${group.base}`] : [];
  });

  assert.deepEqual(naming.sort(), [
    'packages main/binary-all/Packages',
    'packages main/binary-amd64/Packages',
    'packages main/debian-installer/binary-all/Packages',
    'packages main/debian-installer/binary-amd64/Packages',
    'sources main/source/Sources',
  ]);
});
