/** Does one file mean one thing, whether Cairn reads it from a config source or kubectl sends it? */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { MirrorKind } from '../../crds/mirror.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import type { Kubernetes } from '../world/kubernetes.ts';
import { suiteScope } from '../world/temp.ts';
import { plainScalars } from './made-up.ts';
import { assertSame, oursOfYaml, theirs, type Verdict } from './verdicts.ts';
import { pathOf, startWithCrds, trial } from './with-crds.ts';

/** Places where a scalar may stand, with a good one. */
const places = {
  name: 'debian',
  label: 'b',
  note: 'any text',
  key: 'note',
  suite: 'bookworm',
  truth: 'true',
  percent: '25',
  word: 'Fail',
} as const;

type Place = keyof typeof places;

function manifest(written: Partial<Record<Place, string>>): string {
  const text = { ...places, ...written };
  return `apiVersion: cairn.build/v1alpha1
kind: Mirror
metadata:
  name: ${text.name}
  labels: { a: ${text.label} }
  annotations:
    some: ${text.note}
    ${text.key}: some
spec:
  url: https://archive.example/debian
  suites: [${text.suite}]
  allowUnsigned: true
  public: ${text.truth}
  maxShrinkPercent: ${text.percent}
  missingFiles: { pool: ${text.word} }
`;
}

/** What kubectl's YAML takes for something else than text. */
const traps = ['yes', 'No', 'on', 'OFF', 'y', '0644', '0o644', '0x1f', '1_000', '1e3', '.5', '~'];

describe('a manifest in YAML', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;

  before(async () => {
    kubernetes = await startWithCrds(scope);
  });

  async function ofKubectl(text: string): Promise<Verdict> {
    const args = ['create', '--dry-run=server', '--validate=strict', '-o', 'json', '-f', '-'];
    const { code, stdout, stderr } = await kubernetes.kubectl(args, { input: text });
    return theirs({
      status: code === 0 ? 201 : 0,
      body: code === 0 ? JSON.parse(stdout) : { message: stderr },
    });
  }

  it('means the same to Cairn and to an API server, or is refused by both', async () => {
    const path = `${pathOf(MirrorKind)}${trial}`;
    const names = fc.constantFrom(...(Object.keys(places) as Place[]));
    let both = 0;
    const same = fc.asyncProperty(names, plainScalars, async (place, scalar) => {
      const text = manifest({ [place]: scalar });
      const [one, answer] = [
        oursOfYaml(text),
        await kubernetes.request('POST', path, text, { contentType: 'application/yaml' }),
      ];
      const other = theirs(answer);
      if ('accepted' in one) both += 1;
      // kubectl makes text of a key, whatever it was
      const onlyTheirs = 'refused' in one && 'accepted' in other && place === 'key';
      if (onlyTheirs) assert.match(one.refused, /a key has to be text; put .* in quotes/);
      else assertSame(one, other);
    });

    await fc.assert(same, { numRuns: 1500, seed: 20_261_121 });

    assert.ok(both > 300, `it says too little: ${both}`);
  });

  it('has truth and numbers as kubectl reads them', async () => {
    for (const [truth, percent] of [
      ['yes', '010'],
      ['off', '0b11'],
      ['On', '1_0'],
      ['n', '0o17'],
    ] as const) {
      const text = manifest({ truth, percent });
      const [one, other] = [oursOfYaml(text), await ofKubectl(text)];
      assert.ok('accepted' in one && 'accepted' in other, JSON.stringify([one, other]));
      assert.deepEqual(one, other);
    }
  });

  for (const place of ['label', 'note', 'suite'] as const) {
    it(`is refused by both where kubectl would not read text: ${place}`, async () => {
      for (const trap of traps.filter((one) => one !== '~' || place === 'suite')) {
        const text = manifest({ [place]: trap });
        const [one, other] = [oursOfYaml(text), await ofKubectl(text)];
        assert.ok(
          'refused' in one && 'refused' in other,
          `${trap}: ${JSON.stringify([one, other])}`,
        );
      }
    });
  }
});
