import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { run, type Finished } from './process.ts';
import { tempDir, type Scope } from './temp.ts';

/** As `scripts/setup-helm` wants it. */
const oldest = [3, 14] as const;

/** What `scripts/setup-helm` has built. */
const built = path.resolve(import.meta.dirname, '../../.cache/helm/helm');

const program = isNewEnough('helm') ? 'helm' : isProgram(built) ? built : undefined;

/**
 * Options of a `describe` that needs helm. Where none can be built its tests are skipped; that is
 * told, and with CI=true it is a failure.
 */
export const needsHelm: { readonly skip: string | false } = {
  skip: program === undefined && 'no helm; scripts/setup-helm says why',
};

export type Helm = (args: readonly string[], input?: string) => Promise<Finished>;

/** Helm, with no configuration and no memory but its own; `env` tells it of a cluster. */
export function helmOf(scope: Scope, env: Readonly<Record<string, string>> = {}): Helm {
  if (program === undefined) throw new Error('there is no helm here');
  const folder = tempDir(scope);
  const own = Object.fromEntries(
    ['CACHE', 'CONFIG', 'DATA'].map((name) => [`HELM_${name}_HOME`, path.join(folder, name)]),
  );
  const alone = { HOME: folder, KUBECONFIG: path.join(folder, 'none'), ...own, ...env };
  return (args, input) => run(program, args, { env: alone, ...(input !== undefined && { input }) });
}

function isNewEnough(name: string): boolean {
  const { stdout } = spawnSync(name, ['version', '--template', '{{ .Version }}'], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  const [wantedMajor, wantedMinor] = oldest;
  return (
    Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor)
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
