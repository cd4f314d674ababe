import assert from 'node:assert/strict';
import path from 'node:path';
import { crdFile } from '../../crds/crd.ts';
import { kinds } from '../../crds/index.ts';
import type { Kubernetes } from '../world/kubernetes.ts';

const folder = path.resolve(import.meta.dirname, '../../crds');

/** Applies the CRDs of all kinds, from the files that users apply, and waits until they are served. */
export async function installCrds({ kubectl }: Pick<Kubernetes, 'kubectl'>): Promise<void> {
  const files = kinds.flatMap((kind) => ['-f', path.join(folder, crdFile(kind))]);
  for (const args of [
    ['apply', ...files],
    ['wait', '--for=condition=Established', 'crd', '--all', '--timeout=120s'],
  ]) {
    const done = await kubectl(args);
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}`);
  }
}
