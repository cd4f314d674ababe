import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  verdict,
  withCondition,
  withoutCondition,
  type Outcome,
} from '../../../controller/loop/conditions.ts';
import { apiVersion, conditionOf, type KubeObject } from '../../../crds/object.ts';
import { CairnError, reasons, type Reason } from '../../../crds/reasons.ts';
import { assertGoodStatus } from '../../world/status-checks.ts';

const noon = new Date('2026-08-01T12:00:00.123Z');
const later = new Date('2026-08-01T13:00:00Z');
const good: Outcome = { report: { status: { size: 3 }, message: 'holds 3' } };

describe('the verdict on a run', () => {
  it('of success is Ready, and only that', () => {
    const status = judge(object(), good);

    assert.deepEqual(status, {
      size: 3,
      observedGeneration: 2,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason: 'Succeeded',
          message: 'holds 3',
          observedGeneration: 2,
          lastTransitionTime: '2026-08-01T12:00:00Z',
        },
      ],
    });
  });

  it('of work that goes on is Reconciling, and not Ready', () => {
    const status = judge(object(), {
      report: { status: {}, message: 'fetching', progressing: true },
    });

    assert.deepEqual(summary(status), ['Ready=False Progressing', 'Reconciling=True Progressing']);
  });

  it('is given in full by Ready, and by others up to its first line', () => {
    const message = 'exit status 2\nmain.c:1:5: error: expected a declaration\nmake: *** Error 1';
    const failed = (reason: Reason) => {
      const failure = new CairnError(reason, message);
      const status = judge(object(), {
        report: { status: {}, message: '', failure, progressing: true },
      });
      return (status.conditions ?? []).map((one) => [one.type, one.message]);
    };

    const [ready, line] = [['Ready', message], 'exit status 2'] as const;
    assert.deepEqual(failed('BuildFailed'), [ready, ['Stalled', line]]);
    assert.deepEqual(failed('UpstreamUnreachable'), [ready, ['Reconciling', line]]);
  });

  const failures: readonly (readonly [Reason, boolean, string[]])[] = [
    ['UpstreamUnreachable', false, ['Ready=False UpstreamUnreachable']],
    ['DependencyNotReady', false, ['Ready=False DependencyNotReady']],
    ['KeyUnusable', false, ['Ready=False KeyUnusable', 'Stalled=True KeyUnusable']],
    ['KeyUnusable', true, ['Ready=False KeyUnusable', 'Stalled=True KeyUnusable']],
    [
      'UpstreamUnreachable',
      true,
      ['Ready=False UpstreamUnreachable', 'Reconciling=True ProgressingWithRetry'],
    ],
  ];
  for (const [reason, progressing, expected] of failures) {
    it(`of ${reason}${progressing ? ' while work goes on' : ''} is ${expected.join(', ')}`, () => {
      const failure = new CairnError(reason, 'no');
      const status = judge(object(), { report: { status: {}, message: '', failure, progressing } });

      assert.deepEqual(summary(status), expected);
    });
  }

  it('of a throw keeps what was found before', () => {
    const before = { ...object(), status: judge(object(), good) };

    const status = judge(before, { thrown: new CairnError('UpstreamRefused', 'no') }, later);

    assert.equal(status['size'], 3);
    assert.deepEqual(summary(status), ['Ready=False UpstreamRefused']);
  });

  it('drops fields of its own that are reported no more', () => {
    const before = { ...object(), status: judge(object(), good) };

    const status = judge(before, { report: { status: {}, message: 'empty' } });

    assert.equal('size' in status, false);
  });

  it('changes the time of a condition only when its status flips', () => {
    const first = { ...object(), status: judge(object(), good) };

    const again = judge(first, { report: { status: {}, message: 'other words' } }, later);
    const failed = judge(first, { thrown: new CairnError('HashMismatch', 'no') }, later);

    assert.equal(
      conditionOf({ status: again }, 'Ready')?.lastTransitionTime,
      '2026-08-01T12:00:00Z',
    );
    assert.equal(
      conditionOf({ status: failed }, 'Ready')?.lastTransitionTime,
      '2026-08-01T13:00:00Z',
    );
  });

  it('echoes a request once it is handled, and keeps the echo', () => {
    const first = verdict(object(), good, { now: noon, handled: 'token' });
    const second = judge({ ...object(), status: first }, good);

    assert.deepEqual(
      [first.lastHandledReconcileAt, second.lastHandledReconcileAt],
      ['token', 'token'],
    );
  });

  it('bounds messages and takes credentials out of them', () => {
    const secret = 'https://user:pw@host/';
    const status = judge(object(), {
      thrown: new CairnError('UpstreamRefused', `${secret} ${'x'.repeat(1e5)}`),
    });

    const message = conditionOf({ status }, 'Ready')?.message ?? '';
    assert.match(message, /^https:\/\/\*\*\*@host\/ x+…$/);
    assert.equal(message.length, 4096);
  });

  it('passes the checks of Flux, whatever happened before', () => {
    const outcome = fc.oneof(
      fc.constant(good),
      fc
        .constantFrom(...(Object.keys(reasons) as Reason[]))
        .map((reason): Outcome => ({ thrown: new CairnError(reason, 'no') })),
      fc
        .tuple(fc.constantFrom(...(Object.keys(reasons) as Reason[])), fc.boolean())
        .map(([reason, progressing]): Outcome => {
          const failure = new CairnError(reason, 'no');
          return { report: { status: {}, message: 'm', failure, progressing } };
        }),
      fc.constant<Outcome>({ report: { status: {}, message: 'm', progressing: true } }),
    );
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1 }), (outcomes) => {
        let current = object();
        for (const one of outcomes) {
          current = { ...current, status: judge(current, one) };
          assertGoodStatus(current);
          const generation = current.metadata.generation + 1;
          current = { ...current, metadata: { ...current.metadata, generation } };
        }
      }),
    );
  });
});

describe('conditions', () => {
  it('are set in place, and removed by type', () => {
    const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'm' } as const;
    const one = withCondition([], ready, noon);
    const two = withCondition(one, { ...ready, type: 'Stalled' }, noon);

    const changed = withCondition(two, { ...ready, status: 'False' }, later);

    assert.deepEqual(
      changed.map(({ type, status }) => `${type} ${status}`),
      ['Ready False', 'Stalled True'],
    );
    assert.deepEqual(
      withoutCondition(changed, 'Ready').map(({ type }) => type),
      ['Stalled'],
    );
  });
});

function judge(of: KubeObject, outcome: Outcome, now = noon) {
  return verdict(of, outcome, { now });
}

function summary({ conditions = [] }: KubeObject['status']): string[] {
  return conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

function object(): KubeObject {
  const metadata = {
    name: 'one',
    namespace: 'default',
    uid: 'u',
    resourceVersion: '1',
    generation: 2,
    creationTimestamp: '2026-08-01T00:00:00Z',
  };
  return { apiVersion, kind: 'Widget', metadata, spec: {}, status: { observedGeneration: -1 } };
}
