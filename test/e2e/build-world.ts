/** The product on an engine of its own, which may be killed, with one Source of a tiny package. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Build } from '../../crds/build.ts';
import { conditionOf } from '../../crds/object.ts';
import type { Source } from '../../crds/source.ts';
import { startWorld, type World } from '../builders/docker/world.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import type { Cairn } from '../world/cairn.ts';
import { letGo } from '../world/container.ts';
import { moveImage, startOwnDocker, type OwnDocker } from '../world/docker.ts';
import { freePort } from '../world/port.ts';
import { mustRun } from '../world/process.ts';
import type { Scope } from '../world/temp.ts';
import { eventually, objectOf, product, type Product } from './product.ts';
import { tinyPackage } from './tiny-package.ts';

const apiVersion = 'cairn.build/v1alpha1';
/** An image of the engine, with all that the tiny package needs. */
const tinyBase = 'tiny-base';

export class BuildWorld {
  readonly engine: OwnDocker;
  readonly product: Product;
  readonly git: GitRepository;
  readonly #listen: string;
  cairn: Cairn;

  private constructor(parts: Pick<BuildWorld, 'engine' | 'product' | 'git'>, listen: string) {
    this.engine = parts.engine;
    this.product = parts.product;
    this.git = parts.git;
    this.#listen = listen;
    this.cairn = undefined as unknown as Cairn; // until `start`, which `open` calls
  }

  /** Builds have a disk of their own, of so many MiB. `provide` has images come into the engine. */
  static async open(
    scope: Scope,
    diskMiB: number,
    provide: (shared: World, engine: OwnDocker) => Promise<void> = provideTinyBase,
  ): Promise<BuildWorld> {
    const shared = await startWorld(scope, ['build-essential', 'fakeroot']);
    const engine = await startOwnDocker(scope);
    await provide(shared, engine);
    const world = await product(scope);
    const disk = join(world.data, 'builds');
    mkdirSync(disk, { recursive: true });
    await mustRun('mount', ['-t', 'tmpfs', '-o', `size=${diskMiB}m`, 'cairn-test', disk]);
    scope.after(async () => void (await mustRun('umount', [disk])));
    const git = await GitRepository.create(scope, tinyPackage('first'));
    const opened = new BuildWorld({ engine, product: world, git }, `127.0.0.1:${await freePort()}`);
    scope.after(() => opened.cairn?.kill('SIGKILL').then(() => {}));
    await opened.start();
    return opened;
  }

  async start(): Promise<void> {
    this.cairn = await this.product.start({
      listen: this.#listen,
      args: ['--docker', this.engine.address],
    });
  }

  async crash(): Promise<void> {
    await this.cairn.kill('SIGKILL');
    await this.start();
  }

  async resizeDisk(mebibytes: number): Promise<void> {
    await mustRun('mount', ['-o', `remount,size=${mebibytes}m`, join(this.product.data, 'builds')]);
  }

  async declare(kind: 'Repository' | 'Source', name: string, spec: object): Promise<void> {
    const plural = kind === 'Source' ? 'sources' : 'repositories';
    const body = { apiVersion, kind, metadata: { name }, spec };
    const type = 'application/apply-patch+yaml';
    await this.#send('PATCH', `${plural}/${name}?fieldManager=test&force=true`, { type, body });
  }

  declareSource(name: string, repository: string, git = this.git): Promise<void> {
    return this.declare('Source', name, {
      url: `file://${git.bare}`,
      interval: '1s',
      repositoryRef: { name: repository },
      build: { base: { image: tinyBase } },
    });
  }

  async delete(plural: string, name: string): Promise<void> {
    await this.#send('DELETE', `${plural}/${name}`);
  }

  async #send(
    method: string,
    path: string,
    { type, body }: { readonly type?: string; readonly body?: object } = {},
  ): Promise<void> {
    const url = `${this.cairn.url}/apis/${apiVersion}/namespaces/default/${path}`;
    const headers = type === undefined ? {} : { 'content-type': type };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(url, { method, headers, ...sent });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  }

  source(name = 'tiny'): Promise<Source | undefined> {
    return objectOf<Source>(this.cairn, 'sources', name);
  }

  /** The Build that a Source has of its newest commit, as soon as there is one that `holds`. */
  async buildOf(
    commit: string,
    what: string,
    holds: (build: Build) => boolean,
    name = 'tiny',
  ): Promise<Build> {
    const deadline = Date.now() + 120_000;
    for (;;) {
      const { status } = (await this.source(name)) ?? {};
      const build = await objectOf<Build>(this.cairn, 'builds', status?.build ?? 'none');
      if (status?.commit === commit && build && holds(build)) return build;
      if (Date.now() > deadline) {
        const told = JSON.stringify([status, build?.status], undefined, 1);
        throw new Error(`never: ${what}\n${told}\n${this.cairn.logs}`);
      }
      await sleep(20);
    }
  }

  inPhase(commit: string, phase: Build['status']['phase'], name = 'tiny'): Promise<Build> {
    return this.buildOf(commit, `${phase}`, ({ status }) => status.phase === phase, name);
  }

  finished(commit: string, name = 'tiny'): Promise<Build> {
    return this.buildOf(commit, 'its end', ({ status }) => status.result !== undefined, name);
  }

  /** Of the Build's Ready condition. */
  async waitsBecause(commit: string, reason: string, message: RegExp, name = 'tiny') {
    const isSo = (build: Build) => {
      const ready = conditionOf(build, 'Ready');
      return ready?.reason === reason && message.test(ready.message);
    };
    return this.buildOf(commit, `${reason} ${message}`, isSo, name);
  }

  /** Lets a build go on that waits for it, as soon as it runs. */
  async letGo({ metadata: { uid } }: Build): Promise<void> {
    const filters = { name: [`-run-${uid}$`], status: ['running'] };
    const running = async () => (await this.engine.docker.listContainers({ filters }))[0]?.Id;
    let id: string | undefined;
    await eventually(async () => (id = await running()) !== undefined, 'it runs');
    await letGo(this.engine.docker, id ?? '');
  }

  async log({ metadata }: Build): Promise<string> {
    return (await fetch(`${this.cairn.url}/builds/default/${metadata.name}/log`)).text();
  }

  /** The file of a Build that is not through. */
  fileOf({ metadata }: Build, name: string): string {
    return join(this.product.data, 'builds', metadata.uid, name);
  }

  /** What is left of Builds: their folders, and containers. */
  async left(): Promise<readonly string[]> {
    const folders = readdirSync(join(this.product.data, 'builds'));
    const ends = readdirSync(join(this.product.data, 'builder/runs/ends'));
    const containers = await this.engine.docker.listContainers({ all: true });
    return [...folders, ...ends, ...containers.map(({ Names }) => Names.join(' '))];
  }
}

function provideTinyBase(shared: World, engine: OwnDocker): Promise<void> {
  return moveImage(shared.docker, shared.image, engine.docker, tinyBase);
}
