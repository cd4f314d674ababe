/** Publishing without a controller: a depot, a key, and the states one after the other. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { generateSigningKey } from '../../../apt/openpgp.ts';
import type { RepositorySpec, RepositoryState, UploadResult } from '../../../crds/repository.ts';
import { validateManifest } from '../../../crds/validate.ts';
import type { TreeEntry } from '../../../depot/depot.ts';
import { openBlobs } from '../../../depot/file-blobs.ts';
import { treeEntries } from '../../../depot/tree-reader.ts';
import { placesOf } from '../../../reconcilers/repository/places.ts';
import { publish } from '../../../reconcilers/repository/publish.ts';
import { receiptFor } from '../../../reconcilers/repository/receipts.ts';
import type { PublishRequest, Wish } from '../../../reconcilers/repository/request.ts';
import {
  makeSlowFiles,
  type SlowFiles,
  type SlowTools,
} from '../../../reconcilers/repository/slow-files.ts';
import { findXz } from '../../../reconcilers/repository/xz.ts';
import { controlFields, makeDeb, type PackageSpec } from '../../world/deb.ts';
import { tempDir, type Scope } from '../../world/temp.ts';

export const receiptSecret = 'secret-of-the-test';

export type Files = Readonly<Record<string, Uint8Array>>;

interface SlowOptions extends Partial<SlowTools> {
  readonly readingMs?: number;
}

export function specOf(fields: object): RepositorySpec {
  const metadata = { name: 'tools' };
  const input = { apiVersion: 'cairn.build/v1alpha1', kind: 'Repository', metadata, spec: fields };
  const { manifest, problems } = validateManifest(input);
  if (!manifest) throw new Error(JSON.stringify(problems));
  return manifest.spec as RepositorySpec; // just validated
}

/** A package as a file of an upload. */
export function deb(spec: PackageSpec): Files {
  const { name, version, architecture = 'amd64' } = spec;
  const plain = version.replace(/^\d+:/, '');
  return { [`${name}_${plain}_${architecture}.deb`]: makeDeb(spec, controlFields(spec)) };
}

/** All files of a folder. */
export function filesIn(folder: string): Files {
  const names = readdirSync(folder, { withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map(({ name }) => name);
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name))]));
}

/** What is in a Packages index, as in `hello 1.0`. */
export function versionsOf(index: string): readonly string[] {
  const found = index.matchAll(/^Package: (.*)\n(?:[^S\n].*\n|Source.*\n)*?Version: (.*)\n/gm);
  return [...found].map(([, name, version]) => `${name} ${version}`);
}

export type RepositoryWorld = Awaited<ReturnType<typeof repositoryWorld>>;

export async function repositoryWorld(t: Scope, fields: object = {}) {
  const blobs = await openBlobs(tempDir(t));
  const now = new Date('2026-11-21T12:00:00Z');
  const { privateArmored } = await generateSigningKey({ userId: 'tools', now });
  let spec = specOf(fields);
  let state: RepositoryState | undefined;
  let time = now.getTime();

  function wish(files: Files, more: object = {}): Wish {
    const listed = Object.entries(files).map(([name, content]) => {
      const blob = blobs.put(content);
      const of = { namespace: 'default', repository: 'tools', sha256: blob.sha256 };
      return { name: basename(name), ...blob, receipt: receiptFor(of, receiptSecret) };
    });
    const uid = crypto.randomUUID();
    const rest = { remove: [], ignoreMissing: false, ...more };
    return { uid, spec: { repositoryRef: { name: 'tools' }, files: listed, ...rest } };
  }

  async function run(wishes: readonly Wish[], more: Partial<PublishRequest> = {}) {
    time += 1000;
    const published = await publish(
      {
        name: 'tools',
        namespace: 'default',
        receiptSecret,
        spec,
        generation: 1,
        previous: state,
        uploads: wishes,
        date: new Date(time).toISOString().replace('.000', ''),
        validUntil: undefined,
        renew: false,
        keys: [privateArmored],
        inputs: JSON.stringify(spec),
        ...more,
      },
      blobs,
    );
    state = published.state;
    return published.results;
  }

  /** What the state lacks, made; `readingMs` is how long packages may be read. */
  async function slowFiles({ readingMs = 60_000, ...tools }: SlowOptions = {}): Promise<SlowFiles> {
    const { tree = '', fileLists } = state ?? {};
    const request = { tree, fileLists, places: placesOf(spec), readingMs };
    return makeSlowFiles(request, blobs, { now: () => performance.now(), xz: findXz(), ...tools });
  }

  return {
    blobs,
    slowFiles,
    /** Makes what is lacking, and publishes it. */
    async followUp(options?: SlowOptions): Promise<SlowFiles> {
      const slow = await slowFiles(options);
      await run([], { slow });
      return slow;
    },
    wish,
    run,
    get state() {
      return state;
    },
    /** Publishes one upload. */
    async publish(files: Files, more: object = {}): Promise<UploadResult> {
      const [result] = await run([wish(files, more)]);
      if (!result) throw new Error('there is no result');
      return result;
    },
    async respec(fields: object): Promise<void> {
      spec = specOf(fields);
      await run([]);
    },
    /** Of the state's tree, or of another one. */
    async entries(tree = state?.tree ?? ''): Promise<readonly TreeEntry[]> {
      return [...(await treeEntries(blobs, tree))];
    },
    async paths(): Promise<readonly string[]> {
      return [...(await treeEntries(blobs, state?.tree ?? ''))].map(({ path }) => path);
    },
    async index(path: string): Promise<string> {
      for (const entry of await treeEntries(blobs, state?.tree ?? '')) {
        if (entry.path === `${path}.gz`)
          return gunzipSync(await blobs.bytes(entry.sha256)).toString();
      }
      throw new Error(`there is no ${path}`);
    },
    /** Lays the tree out as files. */
    async layOut(): Promise<string> {
      const folder = tempDir(t);
      for (const { path, sha256 } of await treeEntries(blobs, state?.tree ?? '')) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), await blobs.bytes(sha256));
      }
      return folder;
    },
  };
}
