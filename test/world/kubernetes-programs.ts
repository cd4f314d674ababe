import { accessSync, constants } from 'node:fs';
import path from 'node:path';

const programs = ['etcd', 'kube-apiserver', 'kubectl'] as const;

/** Where envtest looks, then what `scripts/setup-kubernetes` has built. */
const directories = [
  process.env['KUBEBUILDER_ASSETS'],
  '/usr/local/kubebuilder/bin',
  path.resolve(import.meta.dirname, '../../.cache/kubernetes'),
];

/** A directory with an etcd, a kube-apiserver and a kubectl, if there is one. */
export const kubernetesPrograms = directories.find(
  (directory) => directory && programs.every((program) => isProgram(path.join(directory, program))),
);

/**
 * Options of a `describe` that needs a Kubernetes API server. Where none can be built its tests are
 * skipped; that is told, and with CI=true it is a failure.
 */
export const needsKubernetes: { readonly skip: string | false } = {
  skip: kubernetesPrograms === undefined && 'no kube-apiserver; scripts/setup-kubernetes says why',
};

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
