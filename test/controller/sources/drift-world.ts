/** A config source of Mirrors that is followed by a real loop, on any store. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createLog } from '../../../controller/log.ts';
import { startLoop } from '../../../controller/loop/controller.ts';
import { configSourceReconciler } from '../../../controller/sources/reconciler.ts';
import type { ConfigSource } from '../../../crds/config-source.ts';
import { apiVersion, conditionOf, type KubeObject } from '../../../crds/object.ts';
import type { InventoryStore, Store } from '../../../crds/store.ts';
import { tempDir } from '../../world/temp.ts';
import { writeFiles } from './folder.ts';

/** A store of all kinds, and a namespace of it that nobody else uses. */
export type OpenForDrift = (
  test: TestContext,
) => Promise<{ readonly store: Store & InventoryStore; readonly namespace: string }>;

const url = 'http://archive.test/a';

/** `spec` is the source's, beside its location. Nothing runs before `start`. */
export async function driftWorld(t: TestContext, open: OpenForDrift, spec: object) {
  const { store, namespace } = await open(t);
  const location = tempDir(t);
  const dataDir = tempDir(t);
  const key = (kind: string, name: string) => ({ kind, namespace, name });
  const write = (mirrors: Record<string, object>, annotations: object = {}) =>
    writeFiles(
      location,
      Object.fromEntries(
        Object.entries(mirrors).map(([name, more]) => [
          `${name}.yaml`,
          JSON.stringify({
            apiVersion,
            kind: 'Mirror',
            metadata: { name, namespace, annotations },
            spec: { url, suites: ['stable'], allowUnsigned: true, ...more },
          }),
        ]),
      ),
    );
  /** Until the test ends, or it is stopped. */
  function start() {
    const lines: string[] = [];
    const log = createLog({ format: 'text', level: 'debug', write: (line) => lines.push(line) });
    const now = () => new Date();
    const inventory = (source: string) => store.inventory(source);
    const secrets = async () => undefined;
    const sources = configSourceReconciler({ dataDir, store, inventory, secrets, now, log });
    const loop = startLoop({ store, reconcilers: [sources], log, now });
    const stop = async () => {
      await loop.stop(5000);
      await sources.close();
    };
    t.after(stop);
    return { stop, lines };
  }
  const metadata = { name: 'config', namespace };
  const declare = (more: object) =>
    store.apply(
      { apiVersion, kind: 'ConfigSource', metadata, spec: { location, ...more } },
      'test',
    );
  const source = async () => {
    const found = await store.get(key('ConfigSource', 'config'));
    assert.ok(found);
    return found as ConfigSource;
  };
  const ready = async () => conditionOf(await source(), 'Ready');
  const mirror = (name: string) => store.get(key('Mirror', name));
  /** As kubectl does: nothing but these fields. */
  async function edit(
    name: string,
    fields: object,
    { manager = 'kubectl-edit', ...more }: { manager?: string; metadata?: object } = {},
  ): Promise<KubeObject> {
    for (;;) {
      const found = await mirror(name);
      assert.ok(found);
      const spec = { ...(found.spec as object), ...fields };
      const next = { ...found, spec, metadata: { ...found.metadata, ...more.metadata } };
      try {
        return await store.update(next, { manager });
      } catch (error) {
        if (!/changed|modified/.test(String(error))) throw error;
      }
    }
  }
  const specOf = async (name: string) => (await mirror(name))?.spec as Record<string, unknown>;
  const events = async (kind: string, name: string) =>
    (await store.events(key(kind, name))).filter(({ reason }) => reason.startsWith('Drift'));
  await declare(spec);
  return {
    ...{ store, namespace, location, write, start, declare, source, ready, mirror, edit },
    ...{ specOf, events, key },
  };
}
