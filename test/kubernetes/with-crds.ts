import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind } from '../../crds/kind.ts';
import { apiVersion } from '../../crds/object.ts';
import { root } from '../repository.ts';
import { startKubernetes, type Kubernetes, type KubernetesOptions } from '../world/kubernetes.ts';
import type { Finished } from '../world/process.ts';
import type { Scope } from '../world/temp.ts';

export const crdFiles = readdirSync(join(root, 'crds'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => join(root, 'crds', file));

/** An API server that knows our kinds. */
export async function startWithCrds(
  scope: Scope,
  options: KubernetesOptions = {},
): Promise<Kubernetes> {
  const kubernetes = await startKubernetes(scope, options);
  const files = crdFiles.flatMap((file) => ['-f', file]);
  succeeded(await kubernetes.kubectl(['apply', ...files]));
  succeeded(
    await kubernetes.kubectl(['wait', '--for=condition=Established', '--timeout=120s', ...files]),
  );
  return kubernetes;
}

/** The path of the objects of a kind. */
export function pathOf({ plural }: Pick<Kind, 'plural'>, name?: string): string {
  const objects = `/apis/${apiVersion}/namespaces/default/${plural}`;
  return name === undefined ? objects : `${objects}/${name}`;
}

/** What a server says of an object that is not stored; unknown fields are errors to it. */
export const trial = '?dryRun=All&fieldValidation=Strict';

/** What a program has written, if it went well. */
export function succeeded({ code, stdout, output }: Finished): string {
  if (code !== 0) throw new Error(output);
  return stdout;
}
