/** A Docker engine, a git repository, and a server that builds from it. */
import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startWorld } from '../../test/builders/docker/world.ts';
import { GitRepository } from '../../test/controller/sources/git-repository.ts';
import { startCairn, type Cairn } from '../../test/world/cairn.ts';
import type { Scope } from '../../test/world/temp.ts';
import { Api } from '../api.ts';
import { newWorkFolder } from '../work-folder.ts';
import { packageFiles } from './package.ts';

const token = 'the-token-of-the-benchmark';
const apiVersion = 'cairn.build/v1alpha1';

export interface BuildSite {
  readonly cairn: Cairn;
  readonly api: Api;
  readonly git: GitRepository;
  /** The path of the engine's socket. */
  readonly engine: string;
}

/** Starts it all; its first commit is there, and not built yet. */
export async function makeBuildSite(scope: Scope): Promise<BuildSite> {
  const world = await startWorld(scope);
  const git = await GitRepository.create(scope, packageFiles('first'));
  const folder = newWorkFolder('builds');
  const [config, data] = [path.join(folder, 'config'), path.join(folder, 'data')];
  const secret = path.join(data, 'secrets/hook');
  for (const one of [config, path.join(data, 'builder'), secret]) {
    mkdirSync(one, { recursive: true });
  }
  writeFileSync(path.join(secret, 'token'), token);
  // The same each time, so that the images of before are found again.
  writeFileSync(path.join(data, 'builder/owner'), 'bench');
  const { uri, suites, components, key } = world.archive;
  const externalDependencies = [{ url: uri, suites, components, key }];
  const objects = [
    ['Repository', 'bench', { public: true, externalDependencies }],
    [
      'Source',
      'bench',
      {
        url: `file://${git.bare}`,
        ref: { branch: 'main' },
        webhook: { secretRef: { name: 'hook' } },
        repositoryRef: { name: 'bench' },
        build: { base: { image: world.base } },
      },
    ],
  ].map(([kind, name, spec]) => JSON.stringify({ apiVersion, kind, metadata: { name }, spec }));
  writeFileSync(path.join(config, 'bench.yaml'), objects.join('\n---\n'));
  const cairn = await startCairn({ config, data, args: ['--docker', world.address] });
  scope.after(async () => void (await cairn.kill()));
  return { cairn, api: new Api(cairn), git, engine: world.address };
}

/** What a git host does after a push. */
export async function tellOfPush({ cairn }: BuildSite): Promise<void> {
  const signature = createHmac('sha256', token).update('').digest('hex');
  const headers = { 'x-signature': `sha256=${signature}` };
  const answer = await fetch(`${cairn.url}/hooks/default/bench`, { method: 'POST', headers });
  if (!answer.ok) throw new Error(`the webhook: ${answer.status} ${await answer.text()}`);
}
