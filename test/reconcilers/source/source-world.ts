/** Sources in the real loop, on real git servers; their Builds are made, and wait for a builder. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createLog } from '../../../controller/log.ts';
import { startLoop } from '../../../controller/loop/controller.ts';
import { openSqliteStore, type SqliteStore } from '../../../controller/store/sqlite.ts';
import { BuildKind, type Build } from '../../../crds/build.ts';
import { kinds } from '../../../crds/index.ts';
import { apiVersion, conditionOf, type Condition, type KubeObject } from '../../../crds/object.ts';
import { SourceKind, type Source } from '../../../crds/source.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { RefWatch } from '../../../reconcilers/git/watch.ts';
import { requestRemoval } from '../../../reconcilers/repository/upload-manifest.ts';
import { sourceReconciler } from '../../../reconcilers/source/index.ts';
import { eventually } from '../../e2e/product.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

export interface SourceWorld {
  readonly store: SqliteStore;
  /** By name: what manifests refer to. */
  readonly secrets: Record<string, Record<string, string>>;
  readonly logs: readonly string[];
  apply(name: string, spec: object): Promise<Source>;
  read(name: string): Promise<Source>;
  annotate(name: string, annotations: Readonly<Record<string, string>>): Promise<void>;
  builds(): Promise<readonly Build[]>;
  /** The Build of the commit that a Source is at, once it is at that one. */
  buildOf(name: string, commit: string): Promise<Build>;
  /** Once Ready has this reason. */
  ready(name: string, reason: string): Promise<Condition>;
  /** Once all that is known by now has been looked at. */
  idle(): Promise<void>;
  /** As the Build's own reconciler would. */
  finish(build: Build, status: object): Promise<void>;
}

const namespace = 'default';
const build = { base: { image: 'debian:bookworm' } };

export function sourceWorld(t: Scope): SourceWorld {
  const store = openSqliteStore(':memory:', { kinds, validate: validateManifest });
  const secrets: SourceWorld['secrets'] = {};
  const logs: string[] = [];
  const watch = new RefWatch(join(tempDir(t), 'git'));
  const loop = startLoop({
    store,
    reconcilers: [
      sourceReconciler({
        ...{ store, watch, missing: undefined, removePackages: requestRemoval },
        offers: async () => false, // nothing is published here
        secrets: async ({ name }) => secrets[name],
        baseUrl: () => 'https://cairn.example.com',
      }),
    ],
    log: createLog({ format: 'json', level: 'debug', write: (line) => logs.push(line) }),
  });
  t.after(async () => {
    await loop.stop(1000);
    await watch.close();
    store.close();
  });
  const get = (name: string) => store.get({ kind: SourceKind.kind, namespace, name });
  const read = async (name: string) => {
    const found = await get(name);
    assert.ok(found, `there is no Source ${name}`);
    return found as Source;
  };
  const builds = async () => (await store.list(BuildKind.kind)).items as readonly Build[];
  return {
    ...{ store, secrets, logs, read, builds },
    idle: () => loop.idle(),
    async apply(name, spec) {
      const all = { repositoryRef: { name: 'tools' }, build, ...spec };
      const manifest = { apiVersion, kind: SourceKind.kind, metadata: { name, namespace } };
      return (await store.apply({ ...manifest, spec: all }, 'test')).object as Source;
    },
    async annotate(name, annotations) {
      const object = await read(name);
      const all = { ...object.metadata.annotations, ...annotations };
      await store.update({ ...object, metadata: { ...object.metadata, annotations: all } });
    },
    async buildOf(name, commit) {
      let found: Build | undefined;
      await eventually(
        async () => {
          const { status } = await read(name);
          found = (await builds()).find(({ metadata }) => metadata.name === status.build);
          return status.commit === commit && found?.spec.commit === commit;
        },
        `the Build of ${commit}`,
        90_000,
        20,
      );
      assert.ok(found);
      return found;
    },
    async ready(name, reason) {
      let found: Condition | undefined;
      const check = async () => {
        found = conditionOf((await read(name)) as KubeObject, 'Ready');
        return found?.reason === reason;
      };
      await eventually(check, `${name} is ${reason}`, 90_000, 20).catch((error: unknown) => {
        throw new Error(JSON.stringify(found), { cause: error });
      });
      assert.ok(found);
      return found;
    },
    async finish({ kind, metadata: { name } }, status) {
      const object = await store.get({ kind, namespace, name });
      assert.ok(object);
      await store.updateStatus({ ...object, status: { ...object.status, ...status } });
    },
  };
}
