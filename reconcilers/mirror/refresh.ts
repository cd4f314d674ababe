import { setMaxListeners } from 'node:events';
import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MirrorState } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Blobs, TreeEntry } from '../../depot/depot.ts';
import type { DepotLocation } from '../../depot/open.ts';
import { formatEntry } from '../../depot/tree-format.ts';
import { treeEntries } from '../../depot/tree-reader.ts';
import type { HostSlots } from '../fetch/slots.ts';
import type { Upstream } from '../fetch/upstream.ts';
import { assemble, changeOf, shrinkOf, type Assembly } from './assemble.ts';
import { commit } from './commit.ts';
import { ShrinkHeldError } from './failures.ts';
import { fetchIndexes, type FetchedSuite } from './indexes.ts';
import { installerImages } from './installer-images.ts';
import { sortedByPath, type PoolLists } from './pool-lists.ts';
import { fetchPool } from './pool.ts';
import type { Counter } from './progress.ts';
import { offeredSuite, type OfferedSuite } from './releases.ts';
import type { Refreshed, RefreshRequest } from './request.ts';
import { select, type Selection } from './select.ts';
import { digestOf } from './spec-digest.ts';
import { upstreamOf } from './upstream-of.ts';

export interface RefreshDeps {
  readonly blobs: Blobs;
  readonly lists: PoolLists;
  readonly slots: HostSlots;
  readonly now: () => Date;
  /** Where the depot is, for the thread that shares in large pools. */
  readonly depot?: DepotLocation;
  /** How long to let an upstream settle that seems to be in the middle of an update. */
  readonly settleMs?: number;
}

/** An archive that changes while it is read gets so many chances to hold still. */
const attempts = 4;
const defaultSettleMs = 1500;

/**
 * Brings a mirror to what upstream has now: all of it or nothing. One Release per suite pins the
 * whole refresh; indexes are fetched by-hash, then the pool files that the depot lacks; only when
 * everything is verified and durable is there a new state. When upstream changes meanwhile, it
 * starts over with the new Release; what was fetched stays.
 */
export async function refresh(
  request: RefreshRequest,
  deps: RefreshDeps,
  counter: Counter,
  signal: AbortSignal,
): Promise<Refreshed> {
  const upstream = upstreamOf(request.spec, request.credentials, deps.slots);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const stop = new AbortController();
      const linked = AbortSignal.any([signal, stop.signal]);
      setMaxListeners(0, linked);
      try {
        return await refreshOnce(request, {
          ...deps,
          upstream,
          counter,
          signal: linked,
          isLastAttempt: attempt === attempts,
        });
      } catch (error) {
        signal.throwIfAborted();
        if (attempt >= attempts || !isUnsettled(error)) throw error;
        await sleep((deps.settleMs ?? defaultSettleMs) * attempt, undefined, { signal });
      } finally {
        stop.abort(new Error('this attempt is over'));
      }
    }
  } finally {
    await upstream.close();
  }
}

/** Whether upstream may just be in the middle of an update. */
function isUnsettled(error: unknown): boolean {
  return (
    error instanceof CairnError &&
    ['UpstreamInconsistent', 'HashMismatch', 'FileMissing', 'IndexInvalid'].includes(error.reason)
  );
}

interface Run extends RefreshDeps {
  readonly upstream: Upstream;
  readonly counter: Counter;
  readonly signal: AbortSignal;
  readonly isLastAttempt: boolean;
}

async function refreshOnce(request: RefreshRequest, run: Run): Promise<Refreshed> {
  const { previous, spec } = request;
  const specDigest = digestOf(spec, request.keyring);
  const sameSpec = previous?.specDigest === specDigest;
  run.counter.phase('Release');
  const offers = await offered(request, run, sameSpec ? previous : undefined);
  if (previous && sameSpec && offers.every((offer) => offer === 'same')) {
    return unchanged({ ...previous, generation: request.generation });
  }
  const whole = offers.includes('same') ? await offered(request, run, undefined) : offers;
  const suites = whole.filter((offer): offer is OfferedSuite => offer !== 'same');
  const selections = suites.map((suite) => select(suite.suite, suite.release, spec));
  const { assembly, missing } = await readIndexes(request, run, suites, selections);
  const before = previous ? await treeEntries(run.blobs, previous.tree) : [];
  const change = changeOf(before, assembly.entries);
  if (sameSpec) holdShrink(change, assembly, request);
  // A state made under another spec may have been lazy: then any file may be missing.
  const candidates = sameSpec && spec.download === 'Eager' ? change.added : assembly.entries;
  const absent = spec.download === 'Eager' ? await fillPool(candidates, request, run) : [];
  run.counter.phase('Commit');
  const state = await commit(request, run, {
    suites,
    selections,
    assembly,
    specDigest,
    missing: [...missing, ...absent],
  });
  const added = change.added.length;
  return {
    state,
    changed: state.tree !== previous?.tree || !sameSpec,
    added,
    removed: change.removed,
    fetchedFiles: run.counter.fetchedFiles,
    fetchedBytes: run.counter.fetchedBytes,
    warnings: suites.flatMap(({ warnings }) => warnings),
  };
}

function offered(request: RefreshRequest, run: Run, trusted: MirrorState | undefined) {
  const { upstream, signal } = run;
  return Promise.all(
    request.spec.suites.map((suite) =>
      offeredSuite(suite, upstream, request, {
        now: run.now(),
        signal,
        trusted: trusted?.suites.find((held) => held.suite === suite),
      }),
    ),
  );
}

async function readIndexes(
  request: RefreshRequest,
  run: Run,
  suites: readonly OfferedSuite[],
  selections: readonly Selection[],
): Promise<{ assembly: Assembly; missing: readonly string[] }> {
  run.counter.phase('Indexes');
  const fetched = await Promise.all(
    suites.map((suite, at) =>
      fetchIndexes(suite, selections[at] ?? { components: [], architectures: [], groups: [] }, {
        ...run,
        request,
      }),
    ),
  );
  const lists: (readonly TreeEntry[])[] = [];
  for (const index of fetched.flatMap(({ poolIndexes }: FetchedSuite) => poolIndexes)) {
    lists.push(await run.lists.read(index, run.signal)); // one at a time: each fills memory
  }
  for (const images of fetched.flatMap(({ imageLists }) => imageLists)) {
    lists.push(sortedByPath(await installerImages(images, run)));
  }
  const entries = fetched.flatMap((suite) => suite.entries);
  return {
    assembly: assemble(entries, lists),
    missing: fetched.flatMap(({ missing }) => missing).sort(),
  };
}

function holdShrink(
  change: ReturnType<typeof changeOf>,
  assembly: Assembly,
  { name, spec, shrinkApproved }: RefreshRequest,
): void {
  const sure = shrinkOf(change, { sha256: '', size: 0 }, spec.maxShrinkPercent);
  if (!sure) return;
  const digest = hash('sha256', assembly.entries.map(formatEntry).join(''));
  if (digest !== shrinkApproved) throw new ShrinkHeldError(name, { ...sure, digest });
}

async function fillPool(
  candidates: readonly TreeEntry[],
  request: RefreshRequest,
  run: Run,
): Promise<readonly string[]> {
  const { blobs, counter } = run;
  counter.phase('Pool');
  const entries = await blobs.lacking(candidates);
  counter.expect(
    entries.length,
    entries.reduce((sum, { size }) => sum + size, 0),
  );
  return fetchPool(entries, request, run);
}

function unchanged(state: MirrorState): Refreshed {
  return {
    state,
    changed: false,
    added: 0,
    removed: 0,
    fetchedFiles: 0,
    fetchedBytes: 0,
    warnings: [],
  };
}
