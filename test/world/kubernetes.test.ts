import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { before, describe, it } from 'node:test';
import { needsKubernetes } from './kubernetes-programs.ts';
import { startKubernetes, type Kubernetes } from './kubernetes.ts';
import { suiteScope } from './temp.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' } };

describe('a Kubernetes API server of the test world', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;

  before(async () => {
    kubernetes = await startKubernetes(scope, { users: { guest: ['guests'] } });
  });

  it('obeys kubectl', async () => {
    const input = JSON.stringify({ ...configMap, metadata: { name: 'piped' }, data: { a: 'b' } });

    const created = await kubernetes.kubectl(['create', '-f', '-'], { input });
    const read = await kubernetes.kubectl(['get', 'configmap/piped', '-o', 'jsonpath={.data.a}']);

    assert.deepEqual([created.stdout, created.code], ['configmap/piped created\n', 0]);
    assert.equal(read.stdout, 'b');
    assert.equal((await kubernetes.kubectl(['get', 'configmap/none'])).code, 1);
  });

  it('lets other users do what RBAC lets them', async () => {
    const token = kubernetes.tokens['guest'] ?? '';
    const role = ['create', 'role', 'reader', '--verb=list', '--resource=configmaps'];
    const binding = ['create', 'rolebinding', 'reader', '--role=reader', '--group=guests'];
    const list = () => kubernetes.request('GET', configMaps, undefined, { token });

    const refused = await list();
    for (const args of [role, binding]) await kubernetes.kubectl(args);
    let allowed = await list();
    for (let tries = 0; allowed.status !== 200 && tries < 100; tries++) {
      await sleep(20); // the authorizer learns of it by its own watch
      allowed = await list();
    }

    assert.deepEqual([refused.status, allowed.status], [403, 200]);
  });

  it('comes back with its data after a crash', async () => {
    assert.equal((await kubernetes.request('POST', configMaps, configMap)).status, 201);

    await kubernetes.kill();
    await assert.rejects(kubernetes.request('GET', configMaps));
    await kubernetes.restart();

    assert.equal((await kubernetes.request('GET', `${configMaps}/kept`)).status, 200);
  });

  it('does not outlive a test that is killed', async () => {
    const module = JSON.stringify(new URL('kubernetes.ts', import.meta.url));
    const program = `import { startKubernetes } from ${module};
      const { pids } = await startKubernetes({ after() {} });
      console.log(...pids);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: kubernetes.folder },
    });
    const [line] = await once(child.stdout, 'data');
    const pids = String(line).trim().split(' ');
    const running = () => pids.filter((pid) => existsSync(`/proc/${pid}`));
    assert.equal(running().length, 2);

    child.kill('SIGKILL');
    for (let tries = 0; running().length > 0 && tries < 100; tries++) await sleep(20);

    assert.deepEqual(running(), []);
  });
});
