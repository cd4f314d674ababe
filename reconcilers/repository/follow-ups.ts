import { asCairnError, type CairnError } from '../../crds/reasons.ts';
import type { Repository } from '../../crds/repository.ts';
import { placesOf } from './places.ts';
import type { SlowFiles, SlowRequest } from './slow-files.ts';

/** Makes what takes long, where nobody waits for it. */
export interface SlowFilesMaker {
  makeSlowFiles(request: SlowRequest, signal: AbortSignal): Promise<SlowFiles>;
}

interface FollowUp {
  made?: SlowFiles;
  failure?: CairnError;
}

/** What is read of packages is kept from time to time. */
const readingMs = 120_000;

/**
 * Slow files that are being made or wait to be published, for each repository those of one state at
 * most. They live in memory alone: those that are lost are made again.
 */
export class FollowUps {
  readonly #running = new Map<string, FollowUp>();
  readonly #maker: SlowFilesMaker;

  constructor(maker: SlowFilesMaker) {
    this.#maker = maker;
  }

  /** Being made, or waiting. */
  has(uid: string): boolean {
    return this.#running.has(uid);
  }

  isMade(uid: string): boolean {
    return this.#running.get(uid)?.made !== undefined;
  }

  /** Why they could not be made, once. */
  takeFailure(uid: string): CairnError | undefined {
    const failure = this.#running.get(uid)?.failure;
    if (failure) this.#running.delete(uid);
    return failure;
  }

  /** Those that wait, once. */
  take(uid: string): SlowFiles | undefined {
    const made = this.#running.get(uid)?.made;
    if (made) this.#running.delete(uid);
    return made;
  }

  /** The repository has gone. */
  forget(uid: string): void {
    this.#running.delete(uid);
  }

  start({ metadata, spec, status }: Parts, poke: () => void): void {
    const { state } = status;
    if (!state) return;
    const followUp: FollowUp = {};
    this.#running.set(metadata.uid, followUp);
    const { tree, fileLists } = state;
    const request = { tree, fileLists, places: placesOf(spec), readingMs };
    this.#maker
      .makeSlowFiles(request, new AbortController().signal)
      .then(
        (made) => (followUp.made = made),
        (error: unknown) => (followUp.failure = asCairnError(error)),
      )
      .finally(poke);
  }
}

type Parts = Pick<Repository, 'metadata' | 'spec'> & { readonly status: Repository['status'] };
