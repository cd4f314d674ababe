/** The chart on a real API server: what it takes, what it refuses, what an uninstall leaves. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { helmOf, needsHelm, type Helm } from '../world/helm.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { suiteScope } from '../world/temp.ts';
import { chart, namespace, podTemplate, release, rendered, template } from './chart.ts';
import { matrix, type Values } from './matrix.ts';
import { serviceMonitors } from './service-monitors.ts';

const isMissing = needsHelm.skip === false ? needsKubernetes : needsHelm;

describe('the chart on a Kubernetes API server', isMissing, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  let helm: Helm;

  before(async () => {
    kubernetes = await startKubernetes(scope);
    helm = helmOf(scope, { KUBECONFIG: kubernetes.kubeconfig });
    const restricted = ['enforce', 'warn'].map((mode) => [
      `pod-security.kubernetes.io/${mode}`,
      'restricted',
    ]);
    const metadata = { name: namespace, labels: Object.fromEntries(restricted) };
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata });
    await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'archives' } });
    await apply(serviceMonitors);
    await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  });

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}`);
    return done.output;
  }

  function apply(object: object, ...args: readonly string[]): Promise<string> {
    return kubectl(['apply', ...args, '-f', '-'], JSON.stringify(object));
  }

  /** Runs helm on the release; it waits for no Pod, because none ever runs. */
  async function released(verb: string, values: Values = {}): Promise<void> {
    const isRemoval = verb === 'uninstall';
    const what = isRemoval ? [release] : [release, chart, '--values', '-'];
    const args = [verb, ...what, '--namespace', namespace];
    const { code, output } = await helm(args, isRemoval ? undefined : JSON.stringify(values));
    assert.equal(code, 0, output);
  }

  for (const [name, values] of Object.entries(matrix)) {
    it(`takes ${name}, without a warning about the safety of Pods`, async () => {
      const args = ['apply', '--dry-run=server', '--validate=strict', '-f', '-'];
      const output = await kubectl(args, await template(helm, values));
      assert.doesNotMatch(output, /warning/i);
    });

    it(`lets in the Pod of ${name} where only restricted ones may be`, async () => {
      const { metadata, spec } = podTemplate(await rendered(helm, values));
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'p' }, spec };
      await apply(pod, '--dry-run=server', '--namespace', namespace);
    });
  }

  it('would be told if the Pod were not restricted', async () => {
    const { metadata, spec } = podTemplate(await rendered(helm, {}));
    const loose = { ...spec, securityContext: {} };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: 'p' },
      spec: loose,
    };
    const args = ['apply', '--dry-run=server', '--namespace', namespace, '-f', '-'];
    const { code, output } = await kubernetes.kubectl(args, { input: JSON.stringify(pod) });
    assert.notEqual(code, 0);
    assert.match(output, /violates PodSecurity "restricted:latest"/);
  });

  it('is installed, upgraded and rolled back', async () => {
    await released('install');
    // what a claim asks for can't be changed
    await released('upgrade', { ...matrix['everything there is'], persistence: {} });
    const url = async () =>
      /--external-url=[^"\s]+/.exec(
        await kubectl(['get', 'deployment', 'cairn', '--namespace', namespace, '-o', 'json']),
      )?.[0];
    assert.equal(await url(), '--external-url=https://apt.example.com');
    const { code, output } = await helm(['rollback', release, '1', '--namespace', namespace]);
    assert.equal(code, 0, output);
    assert.equal(await url(), undefined);
  });

  it('leaves the data and everything declared when it is uninstalled, and takes it up again', async () => {
    const set = {
      apiVersion: 'cairn.build/v1alpha1',
      kind: 'MirrorSet',
      metadata: { name: 'base', namespace },
      spec: { mirrors: [{ name: 'debian' }] },
    };
    await apply(set);

    await released('uninstall');

    const left = ['mirrorset/base', 'persistentvolumeclaim/cairn-data'];
    await kubectl(['get', '--namespace', namespace, ...left]);
    const all = 'deployment,service,role,rolebinding,networkpolicy,poddisruptionbudget';
    const gone = await kubectl(['get', '--namespace', namespace, all, '-o', 'name']);
    assert.equal(gone, '');
    await released('install');
  });
});
