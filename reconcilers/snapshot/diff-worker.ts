/** The thread of one `diffInWorker`: compares, posts the result or the failure, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { asCairnError } from '../../crds/reasons.ts';
import { openDepot } from '../../depot/open.ts';
import { Trees } from '../../depot/tree-reader.ts';
import type { DiffAnswer, DiffTask } from './diff-in-worker.ts';
import { diffMembers } from './diff.ts';

async function answer(task: DiffTask): Promise<DiffAnswer> {
  try {
    return { diff: await compare(task) };
  } catch (thrown) {
    const { reason, message } = asCairnError(thrown);
    return { failure: { reason, message } };
  }
}

async function compare({ depot, before, after }: DiffTask) {
  const blobs = await openDepot(depot);
  const trees = new Trees(blobs);
  try {
    // Aborting ends the whole thread, so nothing in here waits for a signal.
    return await diffMembers({ blobs, trees }, before, after, new AbortController().signal);
  } finally {
    await trees.close();
  }
}

parentPort?.postMessage(await answer(workerData as DiffTask)); // given by diffInWorker alone
