import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { RunResult, RunTimes } from '../results.ts';
import { ArtifactsRefused, takeArtifacts } from './artifacts.ts';
import { requestDigest, runContainer, runName } from './container.ts';
import type { Context } from './context.ts';
import type { End, Ends } from './ends.ts';
import { EngineError } from './engine-error.ts';
import { answers, isLost, messageOf, statusOf } from './engine.ts';
import { openWayOut } from './exec.ts';
import { labels } from './labels.ts';
import { RunLog } from './log.ts';
import { putNote, readNote } from './note.ts';
import { createProxy, type BuildProxy } from './proxy.ts';
import { RequestInvalid, type RunRequest, type RunStreams } from './request.ts';
import { sourceTar } from './source-tar.ts';
import { guarded, StreamFailure } from './stream-failure.ts';
import { verdictOf, type Exit } from './verdict.ts';
import { watchRun } from './watch.ts';

export interface RunOptions {
  readonly request: RunRequest;
  readonly streams: RunStreams;
  /** Ends the watching, not the run. */
  readonly signal: AbortSignal;
  /** How long an engine may be away. */
  readonly engineGraceMs: number;
}

/** The container of a run, if it was started; one that was not is of no use, and is removed. */
export async function findRun(
  context: Context,
  id: string,
): Promise<Docker.ContainerInspectInfo | undefined> {
  const container = context.docker.getContainer(runName(context, id));
  try {
    const found = await container.inspect();
    if (found.State.Status !== 'created') return found;
    await container.remove({ force: true, v: true });
    return undefined;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** What a run was begun with, as long as its container is there. */
export async function noteOf(context: Context, id: string): Promise<Buffer | undefined> {
  try {
    const found = await findRun(context, id);
    return found && (await readNote(context.docker.getContainer(found.Id), found));
  } catch (error) {
    if (!isLost(error)) throw error;
    const message = `Docker doesn't answer at ${context.address}: ${messageOf(error)}`;
    throw new EngineError(message, { cause: error });
  }
}

/** So often in a row an engine may break off although it answers. */
const mostAttempts = 50;
const askAgainMs = 500;

/**
 * Brings a run to its end, from wherever it is: one that goes on already is watched, one that has ended is looked at, and one that
 * is not there is begun. An engine that goes away and comes back in time finds it again.
 */
export async function performRun(
  context: Context,
  ends: Ends,
  asked: RunOptions,
): Promise<RunResult> {
  const options = { ...asked, streams: guarded(asked.streams) };
  try {
    const state = { wasStarted: (await options.streams.keptLog()) > 0 };
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await attempt(context, ends, options, state);
      } catch (error) {
        options.signal.throwIfAborted();
        if (!isLost(error)) throw error;
        if (attempts === mostAttempts || !(await answersAgain(context, options))) {
          const message = `Docker doesn't answer any more at ${context.address}: ${messageOf(error)}`;
          return { result: 'BuilderLost', message };
        }
      }
    }
  } catch (error) {
    throw error instanceof StreamFailure ? error.cause : error;
  }
}

async function answersAgain({ docker }: Context, options: RunOptions): Promise<boolean> {
  const until = performance.now() + options.engineGraceMs;
  while (performance.now() < until) {
    await sleep(askAgainMs, undefined, { signal: options.signal });
    if (await answers(docker)) return true;
  }
  return false;
}

async function attempt(
  context: Context,
  ends: Ends,
  options: RunOptions,
  state: { wasStarted: boolean },
): Promise<RunResult> {
  const { request } = options;
  const found = await findRun(context, request.id);
  if (found && found.Config.Labels[labels.request] !== requestDigest(request)) {
    throw new RequestInvalid(`there is another run with the id ${request.id}`);
  }
  if (!found && ends.read(request.id)?.because === 'Cancelled') {
    return { result: 'Cancelled', message: 'cancelled before it began' };
  }
  if (!found && state.wasStarted) {
    return {
      result: 'BuilderLost',
      message: `Docker at ${context.address} has lost the container`,
    };
  }
  const proxy = createProxy({
    archives: request.network === 'None' ? [] : (request.archives ?? []),
    reach: request.network === 'Full' ? (request.reach ?? {}) : undefined,
    dispatcher: context.dispatcher,
  });
  try {
    const container = found ? await goOn(context, found) : await begin(context, options);
    state.wasStarted = true;
    return await conclude(context, ends, options, { container, proxy });
  } finally {
    proxy.close();
  }
}

/** A controller that was killed while it counted files may have left it standing still. */
async function goOn(
  { docker }: Context,
  { Id, State }: Docker.ContainerInspectInfo,
): Promise<Docker.Container> {
  const container = docker.getContainer(Id);
  if (State.Paused) await container.unpause();
  return container;
}

/** A container is of use from its start on: before, nobody knows whether all of the source is in there. */
async function begin(
  context: Context,
  { request, streams }: RunOptions,
): Promise<Docker.Container> {
  const note = await streams.note?.();
  const container = await context.docker.createContainer(runContainer(context, request, note));
  const tree = await streams.source();
  const { sourceDateEpoch: epoch, limits } = request;
  const tar = sourceTar(tree, { epoch, mostBytes: limits.diskBytes });
  try {
    if (note) await putNote(container, note);
    await container.putArchive(tar, { path: '/build' });
    await container.start();
  } catch (error) {
    await container.remove({ force: true, v: true }).catch(() => {});
    // a source that is refused, or breaks off, is told as that
    throw tar.errored ? new StreamFailure(tar.errored) : error;
  }
  return container;
}

interface Begun {
  readonly container: Docker.Container;
  readonly proxy: BuildProxy;
}

async function conclude(
  context: Context,
  ends: Ends,
  { request, streams, signal }: RunOptions,
  { container, proxy }: Begun,
): Promise<RunResult> {
  const { limits } = request;
  let told: End | undefined;
  const end = async (reason: End) => {
    told ??= reason;
    try {
      ends.write(request.id, reason);
    } finally {
      await container.kill().catch(() => {});
    }
  };
  const kept = await streams.keptLog();
  const log = new RunLog(streams, kept, mostLogCost(limits.logBytes), () => {
    const message = `it printed more than ${limits.logBytes} bytes`;
    void end({ because: 'OutputLimit', message }).catch(() => {});
  });
  if (request.network !== 'None') {
    // that of a container which has ended meanwhile can't be opened, and need not be
    void openWayOut(context, container, proxy).catch(() => {});
  }
  if (ends.read(request.id)) await container.kill().catch(() => {});
  const exit = await watchRun({ container, limits, log, end }, signal);
  const reason = ends.read(request.id) ?? told;
  const trailer = reason ? `cairn: ended, since ${reason.message}\n` : '';
  await log.complete(container, trailer);
  return await resultOf(container, exit, reason, { request, streams });
}

/** Somewhat more than the supervisor lets through, which counts in pieces of 8 KiB. */
function mostLogCost(logBytes: number): number {
  return logBytes * 1.05 + 2 ** 19;
}

async function resultOf(
  container: Docker.Container,
  exit: Exit,
  end: End | undefined,
  { request, streams }: Pick<RunOptions, 'request' | 'streams'>,
): Promise<RunResult> {
  const { State } = await container.inspect();
  const times: RunTimes = { startedAt: State.StartedAt, finishedAt: State.FinishedAt };
  const verdict = verdictOf(exit, end);
  if (verdict) return { ...verdict, ...times };
  try {
    const artifacts = await takeArtifacts(container, request.limits, (...words) =>
      streams.artifact(...words),
    );
    return { result: 'Succeeded', artifacts, ...times };
  } catch (error) {
    if (!(error instanceof ArtifactsRefused)) throw error;
    return {
      result: 'FailedToBuild',
      because: 'ArtifactsRefused',
      message: error.message,
      ...times,
    };
  }
}
