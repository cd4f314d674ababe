/** The product's upstream beside a cluster that knows our kinds. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mirror, product } from '../e2e/product.ts';
import type { KubernetesOptions } from '../world/kubernetes.ts';
import type { Scope } from '../world/temp.ts';
import { startWithCrds } from './with-crds.ts';

export async function startWorld(scope: Scope, options: KubernetesOptions = {}) {
  const kubernetes = await startWithCrds(scope, options);
  const world = await product(scope);
  world.archive.add({ name: 'hello', version: '1.0' });
  await world.archive.publish();
  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const done = await kubernetes.kubectl(args, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}`);
    return done.stdout;
  };
  const inline = readFileSync(join(world.config, 'keys/archive.asc'), 'utf8');
  return {
    kubernetes,
    product: world,
    kubectl,
    apply: (text: string) => kubectl(['apply', '-f', '-'], text),
    mirror: (spec: object = {}) => mirror(world, { signedBy: { inline }, ...spec }),
    ready: (what: string) =>
      kubectl(['wait', '--for=condition=Ready', what, '--timeout=120s']).catch(async (error) => {
        throw new Error(`${error}\n${await kubectl(['get', what, '-o', 'yaml'])}`);
      }),
  };
}

export type ProductWorld = Awaited<ReturnType<typeof startWorld>>;
