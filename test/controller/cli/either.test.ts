/** `cairn get`, `describe` and `wait` on the API server of a cluster. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { eventually } from '../../e2e/product.ts';
import { cairnCli } from '../../world/cairn.ts';
import { kubectlFor } from '../../world/kubectl.ts';
import { needsKubernetes } from '../../world/kubernetes-programs.ts';
import { startKubernetes } from '../../world/kubernetes.ts';
import { suiteScope } from '../../world/temp.ts';

const crds = path.resolve(import.meta.dirname, '../../../crds');
const namespace = '/apis/cairn.build/v1alpha1/namespaces/default';

describe('on a Kubernetes API server, cairn', needsKubernetes, () => {
  const scope = suiteScope();
  let url = '';

  before(async () => {
    const kubernetes = await startKubernetes(scope);
    await kubernetes.kubectl(['apply', '--server-side', '-f', crds]);
    await kubernetes.kubectl(['wait', '--for=condition=Established', 'crd', '--all']);
    const kubectl = kubectlFor(scope, { url: kubernetes.url });
    const config = ['--kubeconfig', kubernetes.kubeconfig];
    const proxy = kubectl.start('proxy', '--port=0', ...config);
    proxy.stdout.setEncoding('utf8').on('data', (text: string) => {
      const port = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port !== undefined) url = `http://127.0.0.1:${port}`;
    });
    await eventually(() => url !== '', 'kubectl proxy');
    const mirrorSet = {
      apiVersion: 'cairn.build/v1alpha1',
      kind: 'MirrorSet',
      metadata: { name: 'base' },
      spec: { mirrors: [{ name: 'debian' }] },
    };
    const { body } = await kubernetes.request('POST', `${namespace}/mirrorsets`, mirrorSet);
    const { metadata } = body as { metadata: { uid: string } };
    const event = {
      metadata: { name: 'base.1' },
      involvedObject: { kind: 'MirrorSet', namespace: 'default', name: 'base', uid: metadata.uid },
      ...{ type: 'Warning', reason: 'DependencyNotReady', message: 'debian is not there' },
      ...{ count: 3, lastTimestamp: '2026-08-01T00:00:00Z' },
    };
    await kubernetes.request('POST', '/api/v1/namespaces/default/events', event);
    const ready = {
      type: 'Ready',
      status: 'True',
      reason: 'Succeeded',
      message: 'all are ready',
      observedGeneration: 1,
      lastTransitionTime: '2026-08-01T00:00:00Z',
    };
    const status = { status: { observedGeneration: 1, conditions: [ready] } };
    const contentType = 'application/merge-patch+json';
    const at = `${namespace}/mirrorsets/base/status`;
    await kubernetes.request('PATCH', at, status, { contentType });
  });

  const cairn = (...args: readonly string[]) => cairnCli(args, { CAIRN_SERVER: url });

  it('gets', async () => {
    const { stdout, output } = await cairn('get', 'mirrorsets');
    assert.match(stdout, /^base .* True +all are ready/m, output);
    const yaml = await cairn('get', 'mset', 'base', '-o', 'yaml');
    assert.match(yaml.stdout, /^ {2}name: base$/m);
    assert.doesNotMatch(yaml.stdout, /managedFields/);
  });

  it('describes, with what has happened', async () => {
    const { stdout, output } = await cairn('describe', 'mirrorset/base');
    assert.match(stdout, / 3 +Warning +DependencyNotReady +debian is not there/, output);
  });

  it('waits', async () => {
    const { code, output } = await cairn('wait', 'mirrorset/base', '--for=condition=Ready');
    assert.equal(code, 0, output);
  });
});
