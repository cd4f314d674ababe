/** The thread that makes slow files, for all repositories, one after the other. Started by `publisher.ts`. */
import { platform, setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { openDepot } from '../../depot/open.ts';
import { answerCalls } from '../threads/answerer.ts';
import type { PublisherData } from './publisher.ts';
import { makeSlowFiles, type SlowFiles, type SlowRequest } from './slow-files.ts';
import { findXz } from './xz.ts';

const { depot } = workerData as PublisherData; // set by publisher.ts alone
yieldToOthers();
const blobs = await openDepot(depot);
let last: Promise<unknown> = Promise.resolve();

answerCalls<SlowRequest, SlowFiles>((request) => {
  const turn = last.then(() => {
    const tools = { now: () => performance.now(), xz: findXz() };
    return makeSlowFiles(request, blobs, tools);
  });
  last = turn.catch(() => undefined);
  return turn;
});

/** On Linux, this is about one thread, and what it starts; elsewhere it would be about all of them. */
function yieldToOthers(): void {
  if (platform() !== 'linux') return;
  try {
    setPriority(19);
  } catch {
    // then it takes its share as all others do
  }
}
