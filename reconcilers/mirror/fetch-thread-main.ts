/** The fetch thread: half of a large pool is downloaded, hashed and written here. */
import { workerData } from 'node:worker_threads';
import { openDepot } from '../../depot/open.ts';
import { HostSlots } from '../fetch/slots.ts';
import { answerCalls } from '../threads/answerer.ts';
import type { FetchAnswer, FetchCall, FetchThreadData } from './fetch-thread.ts';
import { fetchPoolFile } from './pool-file.ts';
import { upstreamOf } from './upstream-of.ts';

const { depot, spec, credentials } = workerData as FetchThreadData; // set by fetch-thread.ts alone
const blobs = await openDepot(depot);
const upstream = upstreamOf(spec, credentials, new HostSlots());

answerCalls<FetchCall, FetchAnswer>(async (call, { signal }) => {
  const absent: string[] = [];
  let bytes = 0;
  if (call.type === 'sync') {
    await blobs.sync();
    return { bytes, absent };
  }
  const onMissing = spec.missingFiles.pool;
  const onBytes = (count: number) => (bytes += count);
  for (const entry of call.entries) {
    signal.throwIfAborted();
    const found = await fetchPoolFile(entry, { upstream, blobs, onMissing, onBytes, signal });
    if (!found) absent.push(entry.path);
  }
  return { bytes, absent };
});
