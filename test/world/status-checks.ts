import assert from 'node:assert/strict';
import type { Condition, KubeObject } from '../../crds/object.ts';

/** What the checks look at: the status beside the generation that it is about. */
interface Checked {
  readonly object: KubeObject;
  readonly generation: number;
  readonly observed: number;
  readonly conditions: readonly Condition[];
  readonly ready: Condition | undefined;
  readonly isReady: boolean;
  readonly abnormal: readonly Condition[];
}

const negative = ['Reconciling', 'Stalled'];

/**
 * What Flux demands of the status of a finished run (`conditions/check/fail.go` and `warn.go` of
 * fluxcd/pkg/runtime); true of a good one.
 */
const checks: Readonly<Record<string, (status: Checked) => boolean>> = {
  'FAIL0001 nothing abnormal is True while Ready': ({ isReady, abnormal }) =>
    !isReady || !abnormal.some(isTrue),
  'FAIL0002 Ready is there': ({ ready }) => ready !== undefined,
  'FAIL0003 Reconciling means not Ready': (status) =>
    !has(status, 'Reconciling') || !status.isReady,
  'FAIL0004 Stalled means not Ready': (status) => !has(status, 'Stalled') || !status.isReady,
  'FAIL0005 never Reconciling and Stalled': ({ abnormal }) => abnormal.length < 2,
  'FAIL0006 no generation is observed before it is': ({ observed, generation }) =>
    observed <= generation,
  'FAIL0007 an older generation is not Ready': ({ observed, generation, isReady }) =>
    observed >= generation || !isReady,
  'FAIL0008 a condition of an older generation is not Ready': (status) =>
    !status.isReady || status.conditions.every((one) => generationOf(one) >= status.generation),
  'FAIL0009 when Ready, all conditions are of the observed generation': (status) =>
    !status.isReady || status.conditions.every((one) => generationOf(one) === status.observed),
  'FAIL0011 Ready is Unknown only while Reconciling': (status) =>
    status.ready?.status !== 'Unknown' || has(status, 'Reconciling'),
  'WARN0003 Reconciling and Stalled are there only while True': ({ abnormal }) =>
    abnormal.every(isTrue),
  'WARN0005 each condition has an observedGeneration': ({ conditions }) =>
    conditions.every((one) => one.observedGeneration !== undefined),
  'each type occurs once': ({ conditions }) =>
    new Set(conditions.map(({ type }) => type)).size === conditions.length,
  'each has a reason of one word, a message and a time': ({ conditions }) =>
    conditions.every(
      ({ reason, message, lastTransitionTime }) =>
        /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/.test(reason) &&
        message.length > 0 &&
        message.length <= 32768 &&
        !Number.isNaN(Date.parse(lastTransitionTime)),
    ),
};

/** Throws the names of the checks that the status of an object doesn't pass. */
export function assertGoodStatus(object: KubeObject): void {
  const { observedGeneration = -1, conditions = [] } = object.status;
  const ready = conditions.find(({ type }) => type === 'Ready');
  const status: Checked = {
    object,
    generation: object.metadata.generation,
    observed: observedGeneration,
    conditions,
    ready,
    isReady: ready?.status === 'True',
    abnormal: conditions.filter(({ type }) => negative.includes(type)),
  };
  const failed = Object.keys(checks).filter((name) => !checks[name]?.(status));
  assert.deepEqual(failed, [], `${object.kind}: ${JSON.stringify(object.status)}`);
}

function has({ abnormal }: Checked, type: string): boolean {
  return abnormal.some((one) => one.type === type && isTrue(one));
}

function isTrue({ status }: Condition): boolean {
  return status === 'True';
}

function generationOf({ observedGeneration = -1 }: Condition): number {
  return observedGeneration;
}
