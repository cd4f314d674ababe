import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { validateManifest } from '../../crds/validate.ts';

const mirror = {
  apiVersion: 'cairn.build/v1alpha1',
  kind: 'Mirror',
  metadata: { name: 'debian' },
  spec: { url: 'https://ftp.debian.org/debian', suites: ['bookworm'], allowUnsigned: true },
};

/** `path: message` of each problem of a Mirror with some fields replaced. */
function problemsOf(change: object, options = {}): string[] {
  const { manifest, problems } = validateManifest({ ...mirror, ...change }, options);
  assert.equal(manifest === undefined, problems.length > 0);
  return problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

function specProblems(change: object): string[] {
  return problemsOf({ spec: { ...mirror.spec, ...change } });
}

describe('a good manifest', () => {
  it('gets its namespace and all defaults, and leaves what was handed in as it was', () => {
    const input = structuredClone(mirror);

    const { manifest } = validateManifest(input);

    const spec = manifest?.spec as Record<string, unknown>;
    assert.equal(manifest?.metadata.namespace, 'default');
    assert.equal(spec['download'], 'Eager');
    assert.deepEqual(spec['limits'], { connections: 8, stallTimeout: '30s', retries: 4 });
    assert.deepEqual(input, mirror);
  });

  it('may use an older name of a field', () => {
    const { suites, ...rest } = mirror.spec;

    const { manifest } = validateManifest({ ...mirror, spec: { ...rest, series: suites } });

    assert.deepEqual((manifest?.spec as { suites?: string[] }).suites, ['bookworm']);
  });

  it('may have fields with nothing behind them: they say nothing', () => {
    const spec = { ...mirror.spec, interval: null, limits: null, include: { sources: null } };
    const { manifest } = validateManifest({ ...mirror, spec });
    const { manifest: without } = validateManifest(mirror);
    assert.deepEqual(manifest, without);
    const metadata = { name: 'debian', labels: { tier: null }, annotations: null };
    assert.deepEqual(validateManifest({ ...mirror, metadata }).manifest?.metadata.labels, {
      tier: '',
    });
  });

  it('may have a schedule: five fields of cron, in a zone of the IANA', () => {
    const times = (schedule: string, timeZone = 'UTC') => specProblems({ schedule, timeZone });
    for (const good of ['0 3 * * *', '*/15 8-18/2 1,15 JAN-Mar mon-fri', '5/20  0 * * 7']) {
      assert.deepEqual(times(good), [], good);
    }
    for (const bad of [
      '0 3 * * * *',
      '60 * * * *',
      '0 5-3 * * *',
      '0 0 * * fri-sun',
      '0 0 * mon *',
    ]) {
      assert.deepEqual(times(bad), [
        `spec.schedule: expected five fields of cron, such as "0 3 * * *"; found "${bad}"`,
      ]);
    }
    const zones = [...Intl.supportedValuesOf('timeZone'), 'UTC', 'GMT', 'Europe/Kyiv'];
    assert.deepEqual(
      zones.filter((zone) => times('0 3 * * *', zone).length > 0),
      [],
    );
    for (const bad of ['europe/berlin', 'Europe/BERLIN', 'Local', 'Mars/Olympus', 'Etc/GMT+99']) {
      assert.deepEqual(times('0 3 * * *', bad), [
        `spec.timeZone: expected an IANA time zone such as UTC or Europe/Berlin; found "${bad}"`,
      ]);
    }
  });

  it('may hold what kubectl and scaffolding tools write', () => {
    const metadata = { name: 'debian', creationTimestamp: null };
    assert.deepEqual(problemsOf({ metadata, status: {} }), []);
  });

  it('does not share parts with its input, so that defaults of one place do not show up in another', () => {
    const shared = {};
    const spec = { ...mirror.spec, limits: shared, include: shared };
    assert.deepEqual(problemsOf({ spec }), []);
    assert.deepEqual(shared, {});
  });
});

describe('a bad manifest', () => {
  it('is told all that is wrong with it at once', () => {
    assert.deepEqual(
      specProblems({ interval: '90 s', download: 'eager', public: 'yes', limits: { retries: 30 } }),
      [
        'spec.interval: expected a string such as 90s or 1h30m; found "90 s"',
        'spec.download: expected one of Eager, Lazy; found "eager"',
        'spec.public: expected true or false; found "yes"',
        'spec.limits.retries: expected an integer from 0 to 20; found 30',
      ],
    );
  });

  it('is asked what it meant by an unknown field', () => {
    assert.deepEqual(specProblems({ suitess: ['x'], limits: { connection: 1 } }), [
      'spec.suitess: unknown field; did you mean `suites`?',
      'spec.limits.connection: unknown field; did you mean `connections`?',
    ]);
    assert.deepEqual(specProblems({ serie: ['x'] }), [
      'spec.serie: unknown field; did you mean `series`?',
    ]);
    assert.match(specProblems({ frobnicate: 1 })[0] ?? '', /unknown field; known ones are .*url/);
    assert.deepEqual(problemsOf({ specs: {} }), ['specs: unknown field; did you mean `spec`?']);
  });

  it('is told by the name that it uses itself', () => {
    const { suites: _, ...rest } = mirror.spec;
    assert.deepEqual(problemsOf({ spec: { ...rest, series: ['book worm'] } }), [
      'spec.series.0: expected a string such as bookworm or bookworm-security or ./; found "book worm"',
    ]);
    assert.deepEqual(specProblems({ series: ['bookworm'] }), [
      'spec.series: another name for suites, which is given too; remove one of them',
    ]);
  });

  it('is not coerced: a number is no text, and text no number', () => {
    assert.deepEqual(specProblems({ suites: [12], maxShrinkPercent: '25' }), [
      'spec.suites.0: expected a string such as bookworm or bookworm-security or ./; found 12',
      'spec.maxShrinkPercent: expected an integer from 0 to 100; found "25"',
    ]);
  });

  it('is told what is missing', () => {
    assert.deepEqual(problemsOf({ spec: {} }), [
      'spec.url: expected a string such as https://ftp.debian.org/debian; it is missing',
      'spec.suites: expected a list of strings; it is missing',
    ]);
    assert.deepEqual(problemsOf({ spec: undefined }), ['spec: expected a mapping; it is missing']);
    assert.deepEqual(specProblems({ suites: null }), [
      'spec.suites: expected a list of strings; it is missing',
    ]);
    assert.deepEqual(specProblems({ suites: [] }), ['spec.suites: expected at least 1 item']);
  });

  it('is judged by the rules of its kind once its schema fits', () => {
    assert.deepEqual(specProblems({ allowUnsigned: false }), [
      'spec.signedBy: expected the keys that the archive is signed with (or allowUnsigned: true, if it is not)',
    ]);
    assert.equal(specProblems({ allowUnsigned: false, interval: 3 }).length, 1);
    const twice = { suites: ['sid', './', 'sid', '/'], architectures: ['amd64', 'amd64'] };
    assert.deepEqual(specProblems(twice), [
      'spec.suites.2: sid is given before',
      'spec.suites.3: / is given before',
      'spec.architectures.1: amd64 is given before',
    ]);
  });

  it('has URLs of ASCII alone, with a host and nothing that belongs elsewhere', () => {
    const good = ['http://[::1]:8080/a', 'https://a.example', 'https://a_b.example/%C3%A9/~x+y/'];
    for (const url of good) assert.deepEqual(specProblems({ url }), [], url);
    const bad = ['https://ä.example/', 'https://a.example/\u00a0', 'https:///a', 'https://a/%zz'];
    for (const url of [...bad, 'https://a/?b', 'https://a/#b', 'https://a b/', 'ftp://a/']) {
      assert.match(specProblems({ url }).join(), /^spec.url: expected a string such as/, url);
    }
  });

  it('does not give away the password of a URL', () => {
    const told = specProblems({ url: 'https://user:canary@ftp.debian.org/' }).join();
    assert.match(told, /spec.url/);
    assert.doesNotMatch(told, /canary/);
  });

  it('learns which kinds there are', () => {
    const known = 'known kinds are Mirror, MirrorSet, Snapshot, Environment, Repository, Source';
    assert.deepEqual(problemsOf({ kind: 'Miror' }), [
      `kind: unknown kind "Miror"; did you mean Mirror? ${known}`,
    ]);
    assert.deepEqual(problemsOf({ apiVersion: 'v1', kind: 'ConfigMap' }), [
      `apiVersion: unknown kind "ConfigMap" of "v1"; ${known} of cairn.build/v1alpha1`,
    ]);
    assert.deepEqual(problemsOf({ apiVersion: 'cairn.build/v1' }), [
      'apiVersion: expected cairn.build/v1alpha1; found "cairn.build/v1"',
    ]);
  });

  it('may not be of a kind that only Cairn makes, where that is asked for', () => {
    const source = { kind: 'ConfigSource', spec: { location: '/etc/cairn' } };
    assert.deepEqual(problemsOf(source), []);
    assert.deepEqual(problemsOf(source, { allowInternal: false }), [
      'kind: ConfigSource objects are made by Cairn itself; remove this one',
    ]);
  });

  it('may be anything at all without harm', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    for (const input of [undefined, null, 3, 'x', [], cycle, { spec: cycle }]) {
      assert.notEqual(validateManifest(input).problems.length, 0);
    }
    fc.assert(
      fc.property(fc.object({ maxDepth: 4 }), (spec) => {
        const { manifest, problems } = validateManifest({ ...mirror, spec });
        assert.equal(manifest === undefined, problems.length > 0);
      }),
    );
  });

  it('is told what a schedule is, and a time zone', () => {
    assert.deepEqual(specProblems({ schedule: '* * *' }), [
      'spec.schedule: expected a string such as "0 3 * * *"; found "* * *"',
    ]);
    assert.deepEqual(specProblems({ schedule: '61 * * * *', timeZone: 'Mars/Olympus' }), [
      'spec.schedule: expected five fields of cron, such as "0 3 * * *"; found "61 * * * *"',
      'spec.timeZone: expected an IANA time zone such as UTC or Europe/Berlin; found "Mars/Olympus"',
    ]);
  });
});

describe('metadata', () => {
  const withMetadata = (metadata: object) => problemsOf({ metadata: { name: 'a', ...metadata } });

  it('needs a name that Kubernetes accepts', () => {
    for (const name of ['Debian', '-a', 'a-', 'a..b', 'a_b', '', 'a'.repeat(254), 3, null]) {
      assert.match(withMetadata({ name }).join(), /^metadata.name: expected a name/);
    }
    assert.deepEqual(withMetadata({ name: 'debian-12.security' }), []);
    assert.match(problemsOf({ metadata: {} }).join(), /metadata.name: .*it is missing/);
    assert.match(withMetadata({ namespace: 'a.b' }).join(), /^metadata.namespace: /);
  });

  it('has labels and annotations as in Kubernetes', () => {
    assert.deepEqual(withMetadata({ labels: { 'example.com/team': 'a_b.c', tier: '' } }), []);
    assert.deepEqual(withMetadata({ annotations: { note: 'any text\nat all' } }), []);
    assert.match(withMetadata({ labels: { a: 1 } }).join(), /found 1 \(put it in quotes\)/);
    assert.match(
      withMetadata({ labels: { a: 'b c' } }).join(),
      /metadata.labels.a: expected at most 63/,
    );
    assert.match(withMetadata({ labels: { 'a/b/c': '' } }).join(), /expected a key such as team/);
    assert.match(withMetadata({ labels: ['a'] }).join(), /expected a mapping; found a list/);
    const big = withMetadata({ annotations: { a: 'x'.repeat(256 * 1024) } });
    assert.match(big.join(), /at most 256 KiB/);
  });

  it('has nothing that only a server writes, unless it comes back from a client', () => {
    const metadata = { name: 'a', uid: 'u', resourceVersion: '3' };
    const status = { objects: 1 };
    assert.deepEqual(problemsOf({ metadata, status }), [
      'status: only Cairn writes the status; remove it',
      'metadata.uid: only Cairn fills this field in; remove it',
      'metadata.resourceVersion: only Cairn fills this field in; remove it',
    ]);
    assert.deepEqual(problemsOf({ metadata, status }, { ignoreServerFields: true }), []);
    assert.deepEqual(withMetadata({ lables: {} }), [
      'metadata.lables: unknown field; did you mean `labels`?',
    ]);
  });
});

describe('a config source', () => {
  const source = (spec: object) => problemsOf({ kind: 'ConfigSource', spec });

  it('takes no credentials in its location and no path that leaves it', () => {
    for (const location of ['https://canary@example.com/x.git', 'ssh://git:canary@example.com/x']) {
      const told = source({ location }).join();
      assert.match(told, /without credentials/);
      assert.doesNotMatch(told, /canary/);
    }
    assert.deepEqual(source({ location: 'ssh://git@example.com/x.git' }), []);
    assert.deepEqual(source({ location: 'git@example.com:x.git' }), []);
    assert.match(source({ location: 'ext::sh -c id' }).join(), /expected a directory, a URL/);
    assert.match(source({ location: '--upload-pack=x' }).join(), /expected a directory, a URL/);
    assert.match(source({ location: '/a', path: '../b' }).join(), /spec.path/);
  });
});
