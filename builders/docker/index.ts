import { mkdirSync } from 'node:fs';
import type { Dispatcher } from 'undici';
import { FairQueue } from '../fair-queue.ts';
import type { PrepareResult, RunResult } from '../results.ts';
import { connect, type EngineAddress } from './connect.ts';
import { EngineError } from './engine-error.ts';
import { checkEngine, type EngineHealth } from './engine.ts';
import { readPrograms, type Context } from './context.ts';
import { Ends } from './ends.ts';
import { imageLimits, pruneImages, type ImageLimits } from './prune.ts';
import { prepare, untilAborted, type PrepareRequest } from './prepare.ts';
import { Pulled } from './pulled.ts';
import { checkRequest, RequestInvalid, type RunRequest, type RunStreams } from './request.ts';
import { findRun, noteOf, performRun } from './run.ts';
import { sweepContainers, type Swept } from './sweep.ts';
import { runName } from './container.ts';

export interface DockerBuilderOptions {
  readonly engine: EngineAddress;
  /** An id of this controller among all that use the same engine: lower-case letters, digits, hyphens. */
  readonly owner: string;
  /** Private to this builder, and kept between restarts. */
  readonly folder: string;
  /** The name of an image with mmdebstrap; without one Cairn makes its own. */
  readonly toolbox?: string | undefined;
  /** How many runs and preparations at once. */
  readonly concurrency: number;
  /** How long an engine may be away until its runs count as lost; two minutes by default. */
  readonly engineGraceMs?: number | undefined;
  /** For what is fetched from archives. */
  readonly dispatcher?: Dispatcher | undefined;
}

export interface PruneReport extends Swept {
  readonly images: number;
}

/** Builds in containers of a Docker engine. */
export interface DockerBuilder {
  /** Asks the engine. Never throws. */
  health(): Promise<EngineHealth>;
  /** Makes a root file system ready; the same one is made only once, whoever asks at the same time. */
  prepare(request: PrepareRequest, signal: AbortSignal): Promise<PrepareResult>;
  /**
   * Brings a run to its end. After a restart of the controller the same request goes on with the run wherever it is. Its container
   * stays until `forget`, so that a result that was not noted can be had again.
   *
   * An aborted signal ends the watching and leaves the run alone. Throws an EngineError when the engine refuses, a SourceInvalid
   * or RequestInvalid for what can't be built, and whatever the streams throw.
   */
  run(request: RunRequest, streams: RunStreams, signal: AbortSignal): Promise<RunResult>;
  /**
   * The note that a run was begun with, by whichever controller of this owner; undefined when it has not begun, or has been
   * forgotten. Throws an EngineError when the engine does not answer.
   */
  noteOf(id: string, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Ends a run; its result will be `Cancelled`. One that has not begun will not. */
  cancel(id: string, why: string): Promise<void>;
  /** Removes all that is left of a run whose result has been noted. */
  forget(id: string): Promise<void>;
  /** Removes what nobody will ask for any more, and images beyond the limits. */
  sweep(claimed: ReadonlySet<string>, limits?: ImageLimits): Promise<PruneReport>;
}

const ownerForm = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;
const defaultGraceMs = 120_000;

/** Opens a builder. Nothing is asked of the engine yet: see `health`. */
export function openDockerBuilder(options: DockerBuilderOptions): DockerBuilder {
  const { engine, owner, folder, toolbox, dispatcher } = options;
  if (!ownerForm.test(owner))
    throw new EngineError(`the owner can't be called ${JSON.stringify(owner)}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const docker = connect(engine);
  const workshops = new Set<string>();
  const context: Context = {
    ...{ docker, address: engine.address, owner, folder, dispatcher },
    ...{ programs: readPrograms(), workshops, making: new Map() },
  };
  const queue = new FairQueue(options.concurrency);
  const ends = new Ends(folder);
  const running = new Set<string>();
  const making = new Map<string, Promise<PrepareResult>>();

  return {
    health: () => checkEngine(docker, engine),
    prepare: (request, signal) => prepare(context, { request, toolbox, queue, making, signal }),
    run,
    noteOf: async (id, signal) => {
      signal.throwIfAborted();
      return await untilAborted(noteOf(context, id), signal);
    },
    cancel: async (id, why) => {
      ends.write(id, { because: 'Cancelled', message: why });
      await docker
        .getContainer(runName(context, id))
        .kill()
        .catch(() => {});
    },
    forget: async (id) => {
      await docker
        .getContainer(runName(context, id))
        .remove({ force: true, v: true })
        .catch(ignoreGone);
      ends.forget(id);
    },
    sweep: async (claimed, limits = imageLimits) => {
      const { containers } = await sweepContainers(context, claimed, ({ name, run: id }) =>
        id === undefined ? workshops.has(name) : running.has(id),
      );
      ends.keep(new Set([...claimed, ...running]));
      const images = await pruneImages(context, limits, Date.now());
      const pulled = await new Pulled(context).prune(limits.ageDays, Date.now());
      return { containers, images: images + pulled };
    },
  };

  async function run(
    request: RunRequest,
    streams: RunStreams,
    signal: AbortSignal,
  ): Promise<RunResult> {
    checkRequest(request);
    if (running.has(request.id)) throw new RequestInvalid(`${request.id} is being run already`);
    running.add(request.id);
    try {
      const goesOn = await findRun(context, request.id).catch(() => undefined);
      const leave = goesOn ? queue.occupy(request.key) : await queue.acquire(request.key, signal);
      try {
        const { engineGraceMs = defaultGraceMs } = options;
        return await performRun(context, ends, { request, streams, signal, engineGraceMs });
      } finally {
        leave();
      }
    } finally {
      running.delete(request.id);
    }
  }
}

function ignoreGone(error: unknown): void {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) throw error;
  if (error.statusCode !== 404) throw error;
}
