import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics } from '../../../controller/loop/metrics.ts';
import { CairnError } from '../../../crds/reasons.ts';
import { keyed, reportSize, startWorld, widget, widgets } from './loop-world.ts';

describe('the metrics of the loop', () => {
  it('count runs and queue work under the names of controller-runtime', async (t) => {
    const metrics = createMetrics();
    const reconciler = widgets((object) => {
      if (object.metadata.name === 'bad') throw new CairnError('UpstreamRefused', 'no');
      if (object.metadata.name === 'stuck') throw new CairnError('KeyUnusable', 'no');
      if (object.metadata.name === 'odd') throw new TypeError('nobody foresaw this');
      return reportSize(object);
    });
    const { store, loop } = startWorld(t, [reconciler], { metrics });
    for (const name of ['good', 'bad', 'stuck', 'odd']) await store.create(widget(name));
    await loop.idle();

    const text = await metrics.registry.metrics();

    for (const line of [
      'controller_runtime_reconcile_total{controller="Widget",result="success"} 1',
      'controller_runtime_reconcile_total{controller="Widget",result="error"} 3',
      'controller_runtime_reconcile_errors_total{controller="Widget"} 3',
      'controller_runtime_terminal_reconcile_errors_total{controller="Widget"} 1',
      'controller_runtime_reconcile_time_seconds_count{controller="Widget"} 4',
      'controller_runtime_max_concurrent_reconciles{controller="Widget"} 4',
      'controller_runtime_active_workers{controller="Widget"} 0',
      'controller_runtime_reconcile_panics_total{controller="Widget"} 1',
      'controller_runtime_reconcile_timeouts_total{controller="Widget"} 0',
      'controller_runtime_reconcile_total{controller="Widget",result="requeue"} 0',
      'workqueue_adds_total{name="cairn",controller="cairn"} 4',
      'workqueue_retries_total{name="cairn",controller="cairn"} 2',
      'workqueue_depth{name="cairn",controller="cairn",priority="0"} 0',
      'workqueue_unfinished_work_seconds{name="cairn",controller="cairn"} 0',
      'workqueue_queue_duration_seconds_count{name="cairn",controller="cairn"} 4',
      'workqueue_work_duration_seconds_count{name="cairn",controller="cairn"} 4',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
    }
  });

  it('have one series per object, which goes with the object', async (t) => {
    const metrics = createMetrics();
    const { store, loop } = startWorld(t, [widgets()], { metrics });
    await store.create(widget('one', { size: 1 }));
    await store.create(widget('two', { size: 1, suspend: true }));
    const series = async () => {
      await loop.idle();
      const text = await metrics.registry.metrics();
      return text.split('\n').filter((line) => line.startsWith('cairn_resource_info{'));
    };

    assert.deepEqual(await series(), [
      'cairn_resource_info{kind="Widget",namespace="default",name="one",ready="True",suspended="false"} 1',
      'cairn_resource_info{kind="Widget",namespace="default",name="two",ready="Unknown",suspended="true"} 1',
    ]);
    await store.delete(keyed('one'));
    await store.delete(keyed('two'));
    assert.deepEqual(await series(), []);
  });
});
