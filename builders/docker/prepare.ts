import type { FairQueue } from '../fair-queue.ts';
import type { PrepareResult } from '../results.ts';
import { ArchiveInvalid, checkArchives, digestOf, type DeclaredArchive } from './archives.ts';
import { ensureBase, type BaseRequest } from './base.ts';
import type { Context } from './context.ts';
import { DependenciesInvalid, dependencyParagraph, type Dependencies } from './control-file.ts';
import { ensureLayer, Unmet } from './dependencies.ts';
import { isLost, messageOf } from './engine.ts';
import { ArchiveUnreachable } from './fetch-file.ts';
import { pinArchives } from './pins.ts';
import { BaseProblem, ToolboxProblem } from './problems.ts';
import { RegistryDenied } from './registry.ts';
import { WorkshopOver } from './workshop.ts';

/** A root file system with everything installed that a build depends on. */
export interface PrepareRequest {
  /** For whom: turns are shared out fairly between keys. */
  readonly key: string;
  readonly base: BaseRequest;
  /** All that may be installed from. Packages of earlier ones don't win over those of later ones: apt takes the newest. */
  readonly archives: readonly DeclaredArchive[];
  readonly dependencies: Dependencies;
  /** Debian's name for it, such as amd64. */
  readonly architecture: string;
  /** Gets what mmdebstrap and apt say; nothing when somebody else has asked first. */
  readonly log?: ((bytes: Buffer) => void) | undefined;
}

export interface PrepareOptions {
  readonly request: PrepareRequest;
  readonly toolbox: string | undefined;
  readonly queue: FairQueue;
  /** What is being made at this moment. */
  readonly making: Map<string, Promise<PrepareResult>>;
  readonly signal: AbortSignal;
}

const architectureForm = /^[a-z0-9][a-z0-9-]{1,30}$/;

/**
 * Makes it, or finds it made of the same: of the same packages of archives in the same state. Two that ask for the same at the same
 * time share one making; it goes on when one of them gives up.
 */
export async function prepare(context: Context, options: PrepareOptions): Promise<PrepareResult> {
  const { making, signal } = options;
  try {
    const { request, paragraph } = checked(options.request);
    const { base, archives, architecture } = request;
    const { dispatcher } = context;
    const pins = await pinArchives(archives, { architecture, dispatcher, signal });
    const key = digestOf([base, archives, architecture, paragraph, pins.states]);
    const shared = making.get(key) ?? start(key, { ...options, request }, paragraph, pins);
    return await untilAborted(shared, signal);
  } catch (error) {
    signal.throwIfAborted();
    return asResult(error, context);
  }

  function start(
    key: string,
    { request, toolbox, queue }: PrepareOptions,
    paragraph: string,
    pins: Awaited<ReturnType<typeof pinArchives>>,
  ): Promise<PrepareResult> {
    const made = make().catch((error: unknown) => asResult(error, context));
    making.set(key, made);
    void made.finally(() => making.delete(key)).catch(() => {});
    return made;

    async function make(): Promise<PrepareResult> {
      const leave = await queue.acquire(request.key);
      try {
        const { architecture, archives, log } = request;
        const inputs = { architecture, archives, pins, toolbox, log };
        const base = await ensureBase(context, request.base, inputs);
        const layer = await ensureLayer(context, { ...inputs, base, paragraph });
        return {
          result: 'Prepared',
          image: layer.id,
          base,
          archives: pins.states,
          made: layer.made,
        };
      } finally {
        leave();
      }
    }
  }
}

function checked(request: PrepareRequest): {
  readonly request: PrepareRequest;
  readonly paragraph: string;
} {
  checkArchives(request.archives);
  if (request.base.kind === 'archives') checkBase(request.base.archives ?? [], request.archives);
  if (!architectureForm.test(request.architecture)) {
    throw new BaseProblem(`no architecture is called ${JSON.stringify(request.architecture)}`);
  }
  return { request, paragraph: dependencyParagraph(request.dependencies) };
}

/** What a base is made of may be installed from as well, so that its state is pinned like all. */
function checkBase(archives: readonly DeclaredArchive[], all: readonly DeclaredArchive[]): void {
  const other = archives.find((one) => !all.includes(one));
  if (other) throw new BaseProblem(`${other.uri} is not among the archives to install from`);
}

/** What it comes to, unless the signal is aborted first: its reason is thrown then. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const give = () => reject(signal.reason);
    signal.addEventListener('abort', give, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}

/** Failures that are somebody's to know of become results; a bug of ours stays one. */
function asResult(error: unknown, { address }: Context): PrepareResult {
  const message = messageOf(error);
  if (error instanceof Unmet) return { result: 'DependencyWait', missing: error.missing, message };
  if (isLost(error)) {
    return { result: 'BuilderLost', message: `Docker doesn't answer at ${address}: ${message}` };
  }
  if (error instanceof RegistryDenied) return { result: 'ChrootProblem', denied: true, message };
  if (problems.some((kind) => error instanceof kind)) return { result: 'ChrootProblem', message };
  throw error;
}

const problems = [
  ArchiveInvalid,
  ArchiveUnreachable,
  BaseProblem,
  DependenciesInvalid,
  WorkshopOver,
  ToolboxProblem,
];
