/** The API server is away, or hangs, for a minute: the product goes on, asks little, loses nothing. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { kinds } from '../../crds/index.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  environment,
  eventually,
  good,
  mirror,
  mirrorSet,
  product,
  snapshot,
} from '../e2e/product.ts';
import { startKubernetes } from '../world/kubernetes.ts';
import { needsKubernetes } from '../world/kubernetes-programs.ts';
import { scrape } from '../world/scrape.ts';
import { installCrds } from './product-crds.ts';

const awayMs = 60_000;
/** Each kind is followed by itself, and looked for every few seconds. */
const mostPerSecond = 0.4 * kinds.length;

/** Each has a cluster of its own, so that both are away at the same time. */
describe('an API server', { ...needsKubernetes, concurrency: true }, () => {
  it('that is away for a minute costs nothing', async (t) => {
    const { kubernetes, outage, recovered } = await setUp(t);
    await kubernetes.kill();
    await outage('2.0').finally(() => kubernetes.restart());
    await recovered('2.0', 'base-2');
  });

  it('that hangs for a minute costs nothing either', async (t) => {
    const { kubernetes, outage, recovered } = await setUp(t);
    const [, server] = kubernetes.pids;
    assert.ok(server, 'there is no API server');
    process.kill(server, 'SIGSTOP');
    try {
      await outage('2.0');
    } finally {
      process.kill(server, 'SIGCONT');
    }
    await recovered('2.0', 'base-2');
  });
});

/** The product on a cluster of its own, with all that it serves. */
async function setUp(t: TestContext) {
  const kubernetes = await startKubernetes(t);
  await installCrds(kubernetes);
  const world = await product(t);
  await publish('1.0');
  const env = { KUBECONFIG: kubernetes.kubeconfig };
  const cairn = await world.start({ args: ['--kubernetes'], env, config: undefined });
  const inline = readFileSync(path.join(world.config, 'keys/archive.asc'), 'utf8');
  await apply(mirror(world, { signedBy: { inline }, interval: '2s' }));
  await apply(mirrorSet);
  await kubectl(['wait', '--for=condition=Ready', 'mirror/demo', '--timeout=120s']);
  await apply(snapshot('base-1'));
  await apply(environment('base-1'));
  await kubectl(['wait', '--for=condition=Ready', 'environment/production', '--timeout=120s']);
  const apt = await world.apt(cairn, '/environments/production');
  return { kubernetes, outage, recovered };

  async function publish(version: string): Promise<void> {
    world.archive.remove('hello');
    world.archive.add({ name: 'hello', version });
    await world.archive.publish();
  }

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}\n${cairn.logs}`);
    return done.stdout;
  }

  async function apply(text: string): Promise<void> {
    await kubectl(['apply', '-f', '-'], text);
  }

  async function probe(what: string): Promise<string> {
    const answer = await fetch(`${cairn.url}/${what}`);
    return `${answer.status} ${await answer.text()}`;
  }

  /** How often the API server was asked so far, successfully or not. */
  async function attempts(): Promise<number> {
    const counted = (await scrape(cairn.url)).filter(({ name }) =>
      ['rest_client_requests_total', 'rest_client_request_retries_total'].includes(name),
    );
    return counted.reduce((total, { value }) => total + value, 0);
  }

  /** Upstream moves on and apt goes on meanwhile; nobody is to be restarted, or taken from clients. */
  async function outage(version: string): Promise<void> {
    await publish(version);
    const before = await attempts();
    const end = performance.now() + awayMs;
    while (performance.now() < end) {
      assert.match(await probe('livez'), /^200 ok\n$/);
      assert.match(await probe('readyz'), /^200 ok\n/);
      await sleep(1000);
    }
    good(await apt.update());
    assert.match(await probe('readyz'), /\[!\]store: .*the API server can't be reached: /);
    const perSecond = ((await attempts()) - before) / (awayMs / 1000);
    assert.ok(perSecond <= mostPerSecond, `${perSecond} requests a second`);
  }

  /** What has happened meanwhile is told, and what is asked for now is done. */
  async function recovered(version: string, name: string): Promise<void> {
    await eventually(async () => /^200 ok\n$/.test(await probe('readyz')), 'it follows again');
    await eventually(() => tells(version), 'the mirror tells what came meanwhile');
    await apply(snapshot(name));
    await apply(environment(name));
    const serves = `--for=jsonpath={.status.published.snapshot}=${name}`;
    await kubectl(['wait', serves, 'environment/production', '--timeout=120s']);
    await eventually(async () => {
      good(await apt.update());
      return (await apt.policy('hello')) === version;
    }, `apt sees ${version}`);
  }

  /** Whether the state in the Mirror's status is the one with that version. */
  async function tells(version: string): Promise<boolean> {
    const tree = await kubectl(['get', 'mirror/demo', '-o', 'jsonpath={.status.state.tree}']);
    const file = `pool/main/h/hello/hello_${version}_amd64.deb`;
    const served = await fetch(`${cairn.url}/mirrors/demo/${file}`, { method: 'HEAD' });
    return tree !== '' && served.ok;
  }
}
