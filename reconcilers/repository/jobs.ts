import { durationMs } from '../../crds/duration.ts';
import { asCairnError, type CairnError } from '../../crds/reasons.ts';
import type { Repository } from '../../crds/repository.ts';
import { timestamp } from '../../crds/timestamp.ts';
import type { Upload } from '../../crds/upload.ts';
import type { Signers } from '../signing/signers.ts';
import type { Published, PublishRequest } from './request.ts';
import type { SlowFiles } from './slow-files.ts';

/** Does the work, out of the way of those that answer clients. */
export interface RepositoryPublisher {
  publish(request: PublishRequest, signal: AbortSignal): Promise<Published>;
}

/** What is to be published now. */
export interface Order {
  readonly wishes: readonly Upload[];
  readonly receiptSecret: string;
  readonly inputs: string;
  readonly signers: Signers;
  readonly date: Date;
  readonly renew: boolean;
  readonly slow: SlowFiles | undefined;
}

/** Work for one repository that goes on, or has ended and was not looked at yet. */
export interface Job {
  /** The tree that it started from. */
  readonly base: string | undefined;
  published?: Published;
  failure?: CairnError;
}

/**
 * The publications that go on, at most one of a repository. They live in memory alone: one that is
 * lost has had no effect, and is begun again.
 */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #publisher: RepositoryPublisher;

  constructor(publisher: RepositoryPublisher) {
    this.#publisher = publisher;
  }

  isBusy(uid: string): boolean {
    return this.#jobs.has(uid);
  }

  start(
    repository: Pick<Repository, 'metadata' | 'spec'> & { readonly status: Repository['status'] },
    order: Order,
    poke: () => void,
  ): void {
    const { uid } = repository.metadata;
    const job: Job = { base: repository.status.state?.tree };
    this.#jobs.set(uid, job);
    this.#publisher
      .publish(requestFor(repository, order), new AbortController().signal)
      .then(
        (published) => (job.published = published),
        (error: unknown) => (job.failure = asCairnError(error)),
      )
      .finally(poke);
  }

  /**
   * What came of a job that has ended, once. Nothing of what was made from another tree than the
   * one of now: that lacks what has been published meanwhile.
   */
  take(uid: string, tree: string | undefined): Pick<Job, 'published' | 'failure'> {
    const job = this.#jobs.get(uid);
    if (!job || (!job.published && !job.failure)) return {};
    this.#jobs.delete(uid);
    return job.base === tree ? job : {};
  }
}

function requestFor(
  { metadata, spec, status }: Parameters<Jobs['start']>[0],
  { wishes, receiptSecret, inputs, signers, date, renew, slow }: Order,
): PublishRequest {
  const validForMs = durationMs(spec.validFor ?? '0s');
  const until = new Date(date.getTime() + validForMs);
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    spec,
    generation: metadata.generation,
    previous: status.state,
    uploads: wishes.map((upload) => ({ uid: upload.metadata.uid, spec: upload.spec })),
    receiptSecret,
    date: timestamp(date),
    validUntil: validForMs > 0 ? timestamp(until) : undefined,
    renew,
    slow,
    keys: signers.keys.map(({ key }) => key.armor()),
    inputs,
  };
}
