/** What a real API server lets people and Cairn write, of the objects of our kinds. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { kinds } from '../../crds/index.ts';
import type { Kind } from '../../crds/kind.ts';
import { apiVersion, type Condition, type KubeObject } from '../../crds/object.ts';
import { plainSchema } from '../../crds/schema.ts';
import { fitting } from '../crds/arbitrary.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import type { Answer, Kubernetes } from '../world/kubernetes.ts';
import { suiteScope } from '../world/temp.ts';
import { goodSpecs, kindOf } from './specs.ts';
import { pathOf, startWithCrds, succeeded, trial } from './with-crds.ts';

const time = '2026-11-21T06:50:00Z';

describe('at an API server', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;

  before(async () => {
    kubernetes = await startWithCrds(scope);
  });

  for (const kind of kinds) {
    it(`no new ${kind.kind} looks ready, and only its status says when it is`, async () => {
      const status = { observedGeneration: 1, conditions: [condition('Ready')] };
      const made = await make(kind, 'new', { status });
      const ignored = objectOf(await patch(pathOf(kind, 'new'), { status }));
      const before = await wait(kind, 'new', '0s');

      const told = objectOf(await patch(`${pathOf(kind, 'new')}/status`, { status, spec: null }));

      assert.deepEqual([made.status, ignored.status], Array(2).fill({ observedGeneration: -1 }));
      assert.equal(before.code, 1);
      assert.deepEqual([told.status, told.spec, told.metadata.generation], [status, made.spec, 1]);
      succeeded(await wait(kind, 'new', '5s'));
    });

    it(`each ${kind.kind} may have any status that Cairn gives it`, async () => {
      const object = await make(kind, 'any');
      const where = `${pathOf(kind, 'any')}/status${trial}`;
      const take = fc.asyncProperty(fitting(plainSchema(kind.status)), async (made) => {
        const status: unknown = JSON.parse(JSON.stringify(made)); // maps without a prototype among it
        fc.pre(hasEachConditionOnce(status));
        const answer = await kubernetes.request('PUT', where, { ...object, status });
        assert.deepEqual(objectOf(answer).status, status);
      });

      await fc.assert(take, { numRuns: 100, seed: 20_261_121 });
    });
  }

  it('the spec of a Snapshot never changes', async () => {
    const path = pathOf(kindOf('Snapshot'), 'frozen');
    await make(kindOf('Snapshot'), 'frozen');

    const { status, body } = await patch(path, { spec: { mirrorSetRef: { name: 'other' } } });
    const labelled = await patch(path, { metadata: { labels: { team: 'a' } } });

    assert.equal(status, 422);
    assert.match(JSON.stringify(body), /spec: .*a Snapshot never changes; make another one/);
    assert.equal(labelled.status, 200);
  });

  it('conditions are merged by their type, and other lists replaced as a whole', async () => {
    const kind = kindOf('Mirror');
    await make(kind, 'shared');
    const apply = (manager: string, type: string, digit: string) => {
      const predecessors = [{ tree: digit.repeat(64), until: time }];
      return patch(
        `${pathOf(kind, 'shared')}/status?fieldManager=${manager}&force=true`,
        {
          ...{ apiVersion, kind: kind.kind, metadata: { name: 'shared' } },
          status: { conditions: [condition(type)], predecessors },
        },
        'application/apply-patch+yaml',
      );
    };

    await apply('one', 'Ready', '1');
    const { status } = objectOf(await apply('two', 'Stalled', '2'));

    const { predecessors } = status as { predecessors?: readonly object[] };
    assert.deepEqual(status.conditions, [condition('Ready'), condition('Stalled')]);
    assert.deepEqual(predecessors, [{ tree: '2'.repeat(64), until: time }]);
  });

  async function make(kind: Kind, name: string, more: object = {}): Promise<KubeObject> {
    const spec = goodSpecs[kind.kind];
    const manifest = { apiVersion, kind: kind.kind, metadata: { name }, spec, ...more };
    return objectOf(await kubernetes.request('POST', pathOf(kind), manifest));
  }

  function patch(where: string, change: object, contentType = 'application/merge-patch+json') {
    return kubernetes.request('PATCH', where, change, { contentType });
  }

  function wait(kind: Kind, name: string, timeout: string) {
    const object = `${kind.plural}/${name}`;
    return kubernetes.kubectl(['wait', '--for=condition=Ready', `--timeout=${timeout}`, object]);
  }
});

function objectOf({ status, body }: Answer): KubeObject {
  assert.ok(status < 300, JSON.stringify(body));
  return body as KubeObject;
}

function condition(type: string): Condition {
  const said = { reason: 'Succeeded', message: 'as it was asked for' };
  return { type, status: 'True', observedGeneration: 1, lastTransitionTime: time, ...said };
}

/** Two of one type are an error to an API server, which a schema can't say. */
function hasEachConditionOnce(status: unknown): boolean {
  const { conditions = [] } = status as { conditions?: readonly Condition[] };
  return new Set(conditions.map(({ type }) => type)).size === conditions.length;
}
