/** The wall clock of the machine jumps: who leads goes on, and what the clock is needed for says so. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { eventually, mirror, mirrorSet, product } from '../e2e/product.ts';
import { startKubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { scrape } from '../world/scrape.ts';
import { tempDir } from '../world/temp.ts';
import { installCrds } from './product-crds.ts';

const clock = path.join(import.meta.dirname, 'jumping-clock.ts');
const day = 24 * 3_600_000;

describe('a clock that jumps', needsKubernetes, () => {
  it('costs neither the lease nor what is served, and is named where it matters', async (t) => {
    const kubernetes = await startKubernetes(t);
    await installCrds(kubernetes);
    const world = await product(t);
    world.archive.add({ name: 'hello', version: '1.0' });
    await world.archive.publish();
    const file = path.join(tempDir(t), 'offset');
    const jump = (ms: number) => {
      writeFileSync(`${file}.new`, String(ms));
      renameSync(`${file}.new`, file);
    };
    jump(0);
    const env = {
      KUBECONFIG: kubernetes.kubeconfig,
      NODE_OPTIONS: `--import=${clock}`,
      NODE_NO_WARNINGS: '1',
      CLOCK_OFFSET_FILE: file,
    };
    const args = ['--kubernetes', '--elect'];
    const cairn = await world.start({ args, env, config: undefined });
    const kubectl = async (words: readonly string[], input?: string) => {
      const done = await kubernetes.kubectl(words, input === undefined ? {} : { input });
      assert.equal(done.code, 0, `kubectl ${words.join(' ')}: ${done.output}\n${cairn.logs}`);
      return done.stdout;
    };
    const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
    await kubectl(['apply', '-f', '-'], mirror(world, { signedBy: { inline }, interval: '1s' }));
    await kubectl(['apply', '-f', '-'], mirrorSet);
    await kubectl(['wait', '--for=condition=Ready', 'mirror/demo', '--timeout=120s']);
    const holder = ['get', 'lease/cairn', '-o', 'jsonpath={.spec.holderIdentity}'];
    const leader = await kubectl(holder);

    for (const [ms, expected] of [
      [30 * day, 'True'],
      [-30 * day, 'False'], // what upstream has signed is of the future
      [0, 'True'],
    ] as const) {
      jump(ms);
      const asked = `reconcile.cairn.build/requestedAt=${ms}`;
      await kubectl(['annotate', '--overwrite', 'mirror/demo', 'mirrorset/base', asked]);
      const echoed = `--for=jsonpath={.status.lastHandledReconcileAt}=${ms}`;
      await kubectl(['wait', echoed, 'mirror/demo', 'mirrorset/base', '--timeout=120s']);
      await kubectl(['wait', `--for=condition=Ready=${expected}`, 'mirror/demo', '--timeout=120s']);
      if (expected === 'False') {
        const why = "jsonpath={.status.conditions[?(@.type=='Ready')].message}";
        assert.match(await kubectl(['get', 'mirror/demo', '-o', why]), /future|clock/);
      }
      assert.ok((await fetch(`${cairn.url}/${world.mount}/dists/stable/InRelease`)).ok);
      const probes = ['livez', 'readyz'].map(async (one) =>
        (await fetch(`${cairn.url}/${one}`)).text(),
      );
      assert.deepEqual(await Promise.all(probes), ['ok\n', 'ok\n']);
    }

    // long enough for a lease that is judged by the wall clock to be lost
    jump(-day);
    await eventually(async () => {
      const renewals = (await scrape(cairn.url)).find(
        ({ name, labels }) => name === 'rest_client_requests_total' && labels['method'] === 'PUT',
      );
      return (renewals?.value ?? 0) > 12;
    }, 'the lease is renewed on and on');
    assert.equal(await kubectl(holder), leader);
    assert.doesNotMatch(cairn.logs, /does not lead/);
  });
});
