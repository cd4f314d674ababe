/** Two replicas of the product that share a cluster, a bucket and an engine, and nothing else. */
import assert from 'node:assert/strict';
import type Docker from 'dockerode';
import type { Build } from '../../crds/build.ts';
import type { Source } from '../../crds/source.ts';
import { labels } from '../../builders/docker/labels.ts';
import { startWorld } from '../builders/docker/world.ts';
import { GitRepository } from '../controller/sources/git-repository.ts';
import { manifest } from '../e2e/building.ts';
import { eventually, objectOf, product, type Product } from '../e2e/product.ts';
import { tinyPackage } from '../e2e/tiny-package.ts';
import type { Cairn } from '../world/cairn.ts';
import { moveImage, startOwnDocker, type OwnDocker } from '../world/docker.ts';
import { startKubernetes, type Kubernetes } from '../world/kubernetes.ts';
import { startS3, type S3 } from '../world/s3.ts';
import { tempDir, type Scope } from '../world/temp.ts';
import { installCrds } from './product-crds.ts';

export const webhookToken = 'only the git host knows this';
/** What a build does until it is told to `go`. */
export const waits = 'echo begun; until [ -e /tmp/go ]; do sleep 0.1; done';

const image = 'tiny-base';
const patienceMs = 60_000;

/** Has the build in a container come to its end. */
export async function go(container: Docker.Container): Promise<void> {
  const exec = await container.exec({ Cmd: ['touch', '/tmp/go'], User: 'root' });
  await exec.start({ Detach: true });
}

export interface Running {
  readonly build: Build;
  readonly container: Docker.Container;
}

export class ReplicaWorld {
  readonly git: GitRepository;
  leader: Cairn;
  follower: Cairn;
  readonly #scope: Scope;
  readonly #kubernetes: Kubernetes;
  readonly #engine: OwnDocker;
  readonly #product: Product;
  readonly #s3: S3;

  private constructor(
    scope: Scope,
    parts: {
      readonly git: GitRepository;
      readonly kubernetes: Kubernetes;
      readonly engine: OwnDocker;
      readonly made: Product;
      readonly s3: S3;
    },
  ) {
    this.#scope = scope;
    this.#kubernetes = parts.kubernetes;
    this.#engine = parts.engine;
    this.#product = parts.made;
    this.#s3 = parts.s3;
    this.git = parts.git;
    this.leader = this.follower = undefined as unknown as Cairn; // until `open` has started them
  }

  static async open(scope: Scope): Promise<ReplicaWorld> {
    const shared = await startWorld(scope, ['build-essential', 'fakeroot']);
    const engine = await startOwnDocker(scope);
    await moveImage(shared.docker, shared.image, engine.docker, image);
    const kubernetes = await startKubernetes(scope);
    await installCrds(kubernetes);
    const s3 = await startS3(scope);
    const git = await GitRepository.create(scope, tinyPackage('first'));
    const made = await product(scope);
    const world = new ReplicaWorld(scope, { git, kubernetes, engine, made, s3 });
    await world.#declare();
    world.leader = await world.#start();
    await eventually(() => world.leads(world.leader), 'the first one leads');
    world.follower = await world.#start();
    const hasLooked = async () => (await world.#source())?.status.commit !== undefined;
    await eventually(hasLooked, 'the Source has looked at its repository');
    return world;
  }

  async #declare(): Promise<void> {
    const secret = {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hook' } },
      stringData: { token: webhookToken },
    };
    const source = manifest('Source', 'tiny', {
      ...{ url: `file://${this.git.bare}`, interval: '1h', repositoryRef: { name: 'tools' } },
      ...{ build: { base: { image } }, webhook: { secretRef: { name: 'hook' } } },
    });
    const texts = [JSON.stringify(secret), manifest('Repository', 'tools', {}), source];
    await this.#kubectl(['apply', '-f', '-'], texts.join('\n---\n'));
  }

  async #kubectl(args: readonly string[], input?: string): Promise<void> {
    const done = await this.#kubernetes.kubectl(args, input === undefined ? {} : { input });
    assert.equal(done.code, 0, `kubectl ${args.join(' ')}: ${done.output}`);
  }

  /** One with a data directory of its own; nobody is anybody's neighbour, so that rights are looked at. */
  async #start(): Promise<Cairn> {
    const { keys, bucket, endpoint } = this.#s3;
    return this.#product.start({
      ...{ data: tempDir(this.#scope), config: undefined },
      env: {
        KUBECONFIG: this.#kubernetes.kubeconfig,
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      },
      args: [
        ...['--kubernetes', '--elect', '--docker', this.#engine.address],
        ...['--bucket', `s3://${bucket}/depot`, '--bucket-region', keys.region],
        ...['--bucket-endpoint', endpoint, '--external-url', 'https://apt.example.com'],
      ],
    });
  }

  leads({ logs }: Pick<Cairn, 'logs'>): boolean {
    return logs.includes('this replica leads');
  }

  /** After the leader has gone: who followed leads, and another one follows it. */
  async replaceLeader(): Promise<void> {
    this.leader = this.follower;
    this.follower = await this.#start();
  }

  /** Has the Source look at its repository. */
  async reconcile(): Promise<void> {
    const asked = `reconcile.cairn.build/requestedAt=${Date.now()}`;
    await this.#kubectl(['annotate', '--overwrite', 'source/tiny', asked]);
  }

  #source(): Promise<Source | undefined> {
    return objectOf<Source>(this.leader, 'sources', 'tiny');
  }

  /** The Build of a commit whose container has said its first words. */
  async running(commit: string): Promise<Running> {
    let build: Build | undefined;
    const isOfCommit = async () => {
      const { build: name = 'none' } = (await this.#source())?.status ?? {};
      build = await objectOf<Build>(this.leader, 'builds', name);
      return build?.spec.commit === commit && build.status.phase === 'Building';
    };
    await this.#eventually(isOfCommit, `${commit} is being built`);
    assert.ok(build);
    const made = build;
    const hasBegun = async () => /^begun$/m.test((await this.log(this.leader, made)).text);
    await this.#eventually(hasBegun, `${commit} has begun`);
    const [only, ...more] = await this.containers(build);
    assert.ok(only && more.length === 0, 'there is one container');
    return { build, container: this.#engine.docker.getContainer(only.Id) };
  }

  /** Whoever prepares a build from now on comes to something else than before. */
  async changeBase(what: string): Promise<void> {
    const container = await this.#engine.docker.createContainer({ Image: image, Cmd: ['true'] });
    await container.commit({ repo: image, changes: `LABEL changed="${what}"` });
    await container.remove();
  }

  async finished({ metadata: { name } }: Build): Promise<Build> {
    let build: Build | undefined;
    const isFinished = async () => {
      build = await objectOf<Build>(this.follower, 'builds', name);
      return build?.status.finishedAt !== undefined;
    };
    await this.#eventually(isFinished, `${name} is finished`);
    assert.ok(build);
    return build;
  }

  async #eventually(isSo: () => Promise<boolean>, what: string): Promise<void> {
    await eventually(isSo, what, patienceMs).catch((error: unknown) => {
      const logs = [this.leader, this.follower].map((one) => one?.logs).join('\n---\n');
      throw new Error(`${String(error)}\n${logs}`);
    });
  }

  async log(cairn: Cairn, { metadata: { name } }: Build, headers: Record<string, string> = {}) {
    const response = await fetch(`${cairn.url}/builds/default/${name}/log`, {
      headers: { authorization: `Bearer ${cairn.tokens.read}`, ...headers },
    });
    return {
      status: response.status,
      text: await response.text(),
      isOver: response.headers.get('x-build-finished'),
      retryAfter: response.headers.get('retry-after'),
    };
  }

  /** Of runs: of builds whose results have not been noted, or of one of them. */
  containers(build?: Build): Promise<Docker.ContainerInfo[]> {
    const label = build ? `${labels.run}=${build.metadata.uid}` : labels.run;
    return this.#engine.docker.listContainers({ all: true, filters: { label: [label] } });
  }
}
