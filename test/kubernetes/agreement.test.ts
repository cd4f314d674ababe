/** Does a real API server take a manifest for what Cairn takes it for? */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigSourceKind } from '../../crds/config-source.ts';
import { kinds } from '../../crds/index.ts';
import type { Kind } from '../../crds/kind.ts';
import { MirrorSetKind } from '../../crds/mirror-set.ts';
import { MirrorKind } from '../../crds/mirror.ts';
import { apiVersion } from '../../crds/object.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import type { Kubernetes } from '../world/kubernetes.ts';
import { suiteScope } from '../world/temp.ts';
import { configSources, linkedMirrors, metadata, scheduledMirrors, specsOf } from './made-up.ts';
import { brokenRules, largestSpecs } from './specs.ts';
import { assertSame, ours, theirs } from './verdicts.ts';
import { pathOf, startWithCrds, trial } from './with-crds.ts';

type AnyKind = Pick<Kind, 'kind' | 'plural'>;

const settings = { numRuns: 400, seed: 20_261_121 };

describe('Cairn and an API server', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;

  before(async () => {
    kubernetes = await startWithCrds(scope);
  });

  /** Fails for a manifest that one of them takes and the other does not, or takes for something else. */
  async function agreeOn(kind: AnyKind, parts: fc.Arbitrary<object>): Promise<void> {
    const count = { accepted: 0, refused: 0 };
    const agree = fc.asyncProperty(parts, async (part) => {
      const manifest = { apiVersion, kind: kind.kind, metadata: { name: 'x' }, ...part };
      const verdict = ours(manifest);
      count['accepted' in verdict ? 'accepted' : 'refused'] += 1;
      const answer = await kubernetes.request('POST', `${pathOf(kind)}${trial}`, manifest);
      assertSame(verdict, theirs(answer));
    });

    await fc.assert(agree, settings);

    const least = Math.min(count.accepted, count.refused);
    assert.ok(least > settings.numRuns / 6, `it says too little: ${JSON.stringify(count)}`);
  }

  for (const kind of kinds) {
    it(`agree on the spec of each ${kind.kind}, and on its defaults`, async () => {
      await agreeOn(
        kind,
        specsOf(kind).map((spec) => ({ spec })),
      );
    });
  }

  it('agree on schedules and time zones', async () => {
    await agreeOn(
      MirrorKind,
      scheduledMirrors.map((spec) => ({ spec })),
    );
  });

  it('agree on where upstreams and proxies may be', async () => {
    await agreeOn(
      MirrorKind,
      linkedMirrors.map((spec) => ({ spec })),
    );
  });

  it('agree on where manifests may come from', async () => {
    await agreeOn(
      ConfigSourceKind,
      configSources.map((spec) => ({ spec })),
    );
  });

  it('agree on names, labels and annotations', async () => {
    const spec = { mirrors: [{ name: 'debian' }] };
    await agreeOn(
      MirrorSetKind,
      metadata.map((written) => ({ metadata: written, spec })),
    );
  });

  it('agree on every rule that a schema can not say, and on what is to blame', async () => {
    for (const { kind, spec, message, field } of brokenRules) {
      const manifest = { apiVersion, kind: kind.kind, metadata: { name: 'x' }, spec };
      const verdict = theirs(await kubernetes.request('POST', `${pathOf(kind)}${trial}`, manifest));

      assert.ok('refused' in verdict && 'refused' in ours(manifest), message);
      assert.match(verdict.refused, /^422/);
      assert.ok(verdict.refused.includes(`${field}: `), verdict.refused);
      assert.ok(verdict.refused.includes(message), verdict.refused);
    }
    const rules = kinds.flatMap((kind) => kind.rules ?? []);
    assert.equal(rules.length, brokenRules.length + 3, 'all but what never changes');
  });

  it('agree on the largest specs, which cost an API server less than it allows', async () => {
    for (const [kind, spec] of largestSpecs) {
      const manifest = { apiVersion, kind: kind.kind, metadata: { name: 'x' }, spec };
      const answer = await kubernetes.request('POST', `${pathOf(kind)}${trial}`, manifest);

      assert.equal(answer.status, 201, JSON.stringify(answer.body).slice(0, 1000));
      assertSame(theirs(answer), ours(manifest));
    }
  });
});
