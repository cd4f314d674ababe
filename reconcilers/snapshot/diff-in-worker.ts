import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { CairnError, type Reason } from '../../crds/reasons.ts';
import type { DepotLocation } from '../../depot/open.ts';
import type { FrozenMember } from '../../crds/snapshot.ts';
import type { MembersDiff } from './diff-shape.ts';

/** A comparison of the largest archives needs a few hundred MiB; more is a broken index. */
const memoryMiB = 1024;

export interface DiffTask {
  readonly depot: DepotLocation;
  readonly before: readonly FrozenMember[];
  readonly after: readonly FrozenMember[];
}

export type DiffAnswer =
  | { readonly diff: MembersDiff }
  | { readonly failure: { readonly reason: Reason; readonly message: string } };

/**
 * `diffMembers` in a thread of its own, so that the server goes on answering meanwhile. Throws as
 * it does; when the signal aborts, the thread is ended.
 */
export async function diffInWorker(
  depot: DepotLocation,
  before: readonly FrozenMember[],
  after: readonly FrozenMember[],
  signal: AbortSignal,
): Promise<MembersDiff> {
  signal.throwIfAborted();
  const workerData: DiffTask = { depot, before, after };
  const worker = new Worker(new URL('./diff-worker.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
  });
  try {
    const answer = await answerOf(worker, signal);
    if ('failure' in answer) throw new CairnError(answer.failure.reason, answer.failure.message);
    return answer.diff;
  } finally {
    await worker.terminate();
  }
}

async function answerOf(worker: Worker, signal: AbortSignal): Promise<DiffAnswer> {
  const settled = new AbortController();
  const waiting = AbortSignal.any([signal, settled.signal]);
  try {
    const [answer] = (await Promise.race([
      once(worker, 'message', { signal: waiting }),
      once(worker, 'exit', { signal: waiting }).then(() => {
        throw new CairnError('InternalError', 'the comparison ended without an answer');
      }),
    ])) as [DiffAnswer]; // posted by diff-worker.ts alone
    return answer;
  } catch (thrown) {
    signal.throwIfAborted();
    throw thrown;
  } finally {
    settled.abort();
  }
}
