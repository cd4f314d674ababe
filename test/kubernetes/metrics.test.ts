/** What the product tells Prometheus, under the names that dashboards for Go controllers use. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { eventually, mirror, mirrorSet, product, type Product } from '../e2e/product.ts';
import type { Cairn } from '../world/cairn.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { scrape, type Sample } from '../world/scrape.ts';
import { suiteScope } from '../world/temp.ts';
import { installCrds } from './product-crds.ts';

/** The labels of each, in the order of the alphabet; histograms by the name of their counts. */
const usual: Readonly<Record<string, string>> = {
  controller_runtime_reconcile_total: 'controller result',
  controller_runtime_reconcile_errors_total: 'controller',
  controller_runtime_terminal_reconcile_errors_total: 'controller',
  controller_runtime_reconcile_panics_total: 'controller',
  controller_runtime_reconcile_timeouts_total: 'controller',
  controller_runtime_reconcile_time_seconds_count: 'controller',
  controller_runtime_reconcile_time_seconds_bucket: 'controller le',
  controller_runtime_max_concurrent_reconciles: 'controller',
  controller_runtime_active_workers: 'controller',
  workqueue_depth: 'controller name priority',
  workqueue_adds_total: 'controller name',
  workqueue_retries_total: 'controller name',
  workqueue_queue_duration_seconds_count: 'controller name',
  workqueue_work_duration_seconds_count: 'controller name',
  workqueue_unfinished_work_seconds: 'controller name',
  workqueue_longest_running_processor_seconds: 'controller name',
  rest_client_requests_total: 'code host method',
  rest_client_request_duration_seconds_count: 'host verb',
  rest_client_request_duration_seconds_bucket: 'host le verb',
  leader_election_master_status: 'name',
  process_cpu_seconds_total: '',
  process_resident_memory_bytes: '',
  process_open_fds: '',
  process_start_time_seconds: '',
  nodejs_eventloop_lag_seconds: '',
  nodejs_heap_size_used_bytes: '',
};

describe('the metrics of replicas', needsKubernetes, () => {
  const scope = suiteScope();
  let kubernetes: Kubernetes;
  let world: Product;
  let leader: Cairn;
  let other: Cairn;

  before(async () => {
    kubernetes = await startKubernetes(scope);
    await installCrds(kubernetes);
    world = await product(scope);
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();
    const env = { KUBECONFIG: kubernetes.kubeconfig };
    const args = ['--kubernetes', '--elect'];
    leader = await world.start({ args, env, config: undefined });
    await eventually(() => leader.logs.includes('this replica leads'), 'it leads');
    other = await world.start({ args, env, config: undefined });
    const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
    await kubectl(['apply', '-f', '-'], mirror(world, { signedBy: { inline } }));
    await kubectl(['apply', '-f', '-'], mirrorSet);
    const ready = ['wait', '--for=condition=Ready', 'mirror/demo', 'mirrorset/base'];
    await kubectl([...ready, '--timeout=120s']);
  });

  async function kubectl(args: readonly string[], input?: string): Promise<void> {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}`);
  }

  it('have the usual names and labels', async () => {
    const samples = await scrape(leader.url);
    for (const [name, labels] of Object.entries(usual)) {
      const found = samples.filter((sample) => sample.name === name);
      assert.ok(found.length > 0, `there is no ${name}`);
      for (const sample of found) {
        assert.equal(Object.keys(sample.labels).sort().join(' '), labels, name);
      }
    }
  });

  it('say what has happened', async () => {
    const samples = await scrape(leader.url);
    const { host } = new URL(kubernetes.url);

    assert.ok(sum(samples, 'controller_runtime_reconcile_total', { controller: 'Mirror' }) >= 2);
    assert.equal(
      sum(samples, 'controller_runtime_reconcile_total', {}),
      sum(samples, 'controller_runtime_reconcile_time_seconds_count', {}),
    );
    assert.equal(sum(samples, 'controller_runtime_reconcile_panics_total', {}), 0);
    assert.ok(sum(samples, 'workqueue_adds_total', {}) >= 2);
    assert.equal(sum(samples, 'workqueue_depth', {}), 0);
    // seven kinds were listed and are watched; the lease was looked for, then renewed
    assert.ok(
      sum(samples, 'rest_client_requests_total', { code: '200', method: 'GET', host }) >= 15,
    );
    assert.ok(
      sum(samples, 'rest_client_requests_total', { code: '200', method: 'PUT', host }) >= 2,
    );
    assert.ok(
      sum(samples, 'rest_client_requests_total', { code: '201', method: 'POST', host }) >= 2,
    );
    const took = sum(samples, 'rest_client_request_duration_seconds_sum', { verb: 'PUT', host });
    assert.ok(took > 0 && took < 60, `all writes together took ${took} s`);
    const memory = sum(samples, 'process_resident_memory_bytes', {});
    assert.ok(memory > 30e6 && memory < 1e9, `${memory} bytes`);
    const age = Date.now() / 1000 - sum(samples, 'process_start_time_seconds', {});
    assert.ok(age > 0 && age < 600, `started ${age} s ago`);
  });

  it('say who leads', async () => {
    const name = 'leader_election_master_status';
    assert.equal(sum(await scrape(leader.url), name, { name: 'cairn' }), 1);
    assert.equal(sum(await scrape(other.url), name, { name: 'cairn' }), 0);
  });

  it('say that the API server gives no answer', async () => {
    await kubernetes.kill();
    await eventually(async () => {
      const samples = await scrape(other.url);
      return sum(samples, 'rest_client_requests_total', { code: '<error>', method: 'GET' }) >= 5;
    }, 'it is noticed');
    await kubernetes.restart();
  });

  it('have nothing of objects that are gone', async () => {
    const ofDemo = async () =>
      (await scrape(leader.url)).filter(({ labels }) => labels['name'] === 'demo');
    const names = new Set((await ofDemo()).map(({ name }) => name));
    assert.ok(names.has('cairn_resource_info') && names.has('cairn_mirror_refresh_total'));

    await kubectl(['delete', 'mirrorset/base', 'mirror/demo', '--timeout=120s']);

    await eventually(async () => (await ofDemo()).length === 0, 'they are gone');
  });
});

/** Of all series of that name with these labels. */
function sum(samples: readonly Sample[], name: string, labels: Sample['labels']): number {
  const wanted = Object.entries(labels);
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => wanted.every(([key, value]) => sample.labels[key] === value))
    .reduce((total, { value }) => total + value, 0);
}
