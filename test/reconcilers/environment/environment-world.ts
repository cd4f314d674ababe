/** Environments in the real loop, over a real store and depot, at a time that is set by hand. */
import assert from 'node:assert/strict';
import { createLog } from '../../../controller/log.ts';
import { startLoop } from '../../../controller/loop/controller.ts';
import { openSqliteStore } from '../../../controller/store/sqlite.ts';
import { splitCleartext } from '../../../apt/cleartext.ts';
import { publicKeys, readSigningKey } from '../../../apt/openpgp.ts';
import type { Environment } from '../../../crds/environment.ts';
import { kinds } from '../../../crds/index.ts';
import { apiVersion, conditionOf } from '../../../crds/object.ts';
import type { FrozenMember } from '../../../crds/snapshot.ts';
import { validateManifest } from '../../../crds/validate.ts';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { Trees } from '../../../depot/tree-reader.ts';
import { comparePaths, writeTree } from '../../../depot/tree-writer.ts';
import { environmentReconciler } from '../../../reconcilers/environment/index.ts';
import { KeyFolder } from '../../../reconcilers/signing/key-store.ts';
import type { SecretName } from '../../../reconcilers/secrets.ts';
import { member, Objects } from '../../controller/http/objects.ts';
import { HeldClock } from '../../controller/loop/held-clock.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

export type Files = Readonly<Record<string, string>>;

const key = { kind: 'Environment', namespace: 'default', name: 'production' };

export async function environmentWorld(t: Scope) {
  const blobs = await openBlobs(tempDir(t));
  const trees = new Trees(blobs);
  const keyFolder = tempDir(t);
  const keyStore = new KeyFolder(keyFolder);
  const secrets: Record<string, Record<string, string>> = {};
  const logs: string[] = [];
  const clock = new HeldClock();
  let now = Date.now() - 86_400_000;
  const store = openSqliteStore(':memory:', { kinds, validate: validateManifest });
  const deps = { blobs, trees, keyStore, secrets: async ({ name }: SecretName) => secrets[name] };
  const loop = startLoop({
    store,
    reconcilers: [environmentReconciler(deps)],
    log: createLog({ format: 'json', level: 'debug', write: (line) => logs.push(line) }),
    now: () => new Date(now),
    clock,
  });
  t.after(async () => {
    const stopped = loop.stop(0);
    await clock.pass(0);
    await stopped;
    await trees.close();
    store.close();
  });
  const objects = new Objects(store);

  async function environment(): Promise<Environment> {
    const found = await store.get(key);
    assert.ok(found, 'there is no environment');
    return found as Environment; // it was asked for by its kind
  }

  async function treeOf(files: Files): Promise<string> {
    const entries = Object.entries(files).map(([path, text]) => ({
      path,
      ...blobs.put(Buffer.from(text)),
    }));
    return (
      await writeTree(
        blobs,
        entries.sort((a, b) => comparePaths(a.path, b.path)),
      )
    ).digest;
  }

  return {
    store,
    secrets,
    keyFolder,
    logs,
    environment,
    /** Takes a snapshot whose members hold these files. */
    async snapshot(name: string, files: Files, given: Partial<FrozenMember> = {}): Promise<void> {
      await objects.snapshot(name, {
        members: [member('deb.example.org/debian', await treeOf(files), given)],
      });
    },
    /** Takes a snapshot of several members: path → its files and what else there is to say. */
    async snapshotOf(
      name: string,
      members: Readonly<Record<string, { files: Files; given?: Partial<FrozenMember> }>>,
    ): Promise<void> {
      const made: FrozenMember[] = [];
      for (const [path, { files, given }] of Object.entries(members)) {
        made.push(member(path, await treeOf(files), given));
      }
      await objects.snapshot(name, { members: made });
    },
    /** As if somebody had taken its finalizer away by hand, and deleted it. */
    async snapshotGone(name: string): Promise<void> {
      const snapshot = { kind: 'Snapshot', namespace: 'default', name };
      const found = await store.get(snapshot);
      assert.ok(found);
      await store.update({ ...found, metadata: { ...found.metadata, finalizers: [] } });
      await store.delete(snapshot);
    },
    /** Declares the environment and waits until nothing is left to do now. */
    async promote(name: string, spec: object = {}): Promise<Environment> {
      const whole = { snapshotRef: { name }, ...spec };
      const manifest = { apiVersion, kind: key.kind, metadata: { name: key.name }, spec: whole };
      await store.apply(manifest, 'test');
      await loop.idle();
      return environment();
    },
    /** Lets time pass, and what is due then be done. */
    async pass(ms: number): Promise<Environment> {
      now += ms;
      await clock.pass(Math.max(0, ms));
      await loop.idle();
      return environment();
    },
    /** Sets the clock that statuses and signatures show, as a person or ntpd would. */
    setClock: (ms: number) => void (now += ms),
    now: () => now,
    async ready(): Promise<string> {
      const { status, reason, message } = conditionOf(await environment(), 'Ready') ?? {};
      return `${status} ${reason}: ${message}`;
    },
    /** What is served at a path of a member now: its own Release files, else upstream's bytes. */
    async served(path: string, at = 0): Promise<string | undefined> {
      const found = (await environment()).status.published?.members[at];
      if (!found) return undefined;
      const own = await (await trees.open(found.overlay)).get(path);
      const entry = own ?? (await (await trees.open(found.tree)).get(path));
      return entry && (await blobs.bytes(entry.sha256)).toString();
    },
    /** The public keys that sign now, armored. */
    async keys(): Promise<string> {
      const { status, spec } = await environment();
      const { keyRef } = spec.signing;
      const armored = keyRef
        ? [secrets[keyRef.name]?.[keyRef.key]]
        : await Promise.all(
            (status.keys ?? []).map(({ epoch }) =>
              keyStore.find({ namespace: 'default', owner: 'environment', name: key.name, epoch }),
            ),
          );
      const known = armored.filter((one) => one !== undefined);
      return publicKeys(await Promise.all(known.map(readSigningKey)));
    },
  };
}

/** The fields of a Release text, or of the one inside an InRelease: name → value. */
export function fieldsOf(text = ''): Readonly<Record<string, string>> {
  const plain = text.startsWith('-----') ? splitCleartext(Buffer.from(text)).text : text;
  const fields = plain.matchAll(/^([A-Za-z0-9-]+):(.*(?:\n .*)*)$/gm);
  return Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, value.trim()]));
}

export function dateOf(text: string | undefined): number {
  return Date.parse(fieldsOf(text)['Date'] ?? '');
}
