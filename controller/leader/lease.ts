import { StoreError } from '../../crds/store.ts';
import type { Caller } from '../store/kubernetes/connection.ts';
import { microTime } from '../store/kubernetes/events.ts';
import { isRecord } from '../../crds/record.ts';
import { addressAnnotation, addressIn } from './address.ts';

export interface LeaseOptions {
  readonly connection: Caller;
  readonly namespace: string;
  readonly name: string;
  /** Who this is; no other process may have the same. */
  readonly identity: string;
  /** How others reach this process, as soon as that is known; see `addressAnnotation`. */
  readonly address?: () => string | undefined;
  /** The time that passes, in milliseconds. */
  readonly clock: () => number;
  readonly now: () => Date;
}

/** What came of asking for the lease. */
export type Attempt =
  | { readonly is: 'held'; readonly epoch: number }
  /** Somebody else has it, for so long at most unless they renew it. */
  | {
      readonly is: 'taken';
      readonly by: string;
      readonly address: string | undefined;
      readonly forMs: number;
    }
  /** Nobody knows: the server was not reached, or somebody was quicker. */
  | { readonly is: 'unknown'; readonly because: string };

/** How long the lease is good after it was last seen to be renewed, as in client-go. */
export const leaseSeconds = 15;
/** Well below of what is left when an attempt fails. */
const attemptMs = 3000;

interface Spec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/**
 * A Lease of `coordination.k8s.io/v1`, held by one at a time, as client-go does it: whether it has
 * run out is told by this process's own clock since it last saw a change, never by the times in it.
 */
export class Lease {
  readonly #options: LeaseOptions;
  #seen: { readonly version: string; readonly at: number } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Takes the lease if it is free, renews it if it is ours. Never rejects. */
  async attempt(): Promise<Attempt> {
    try {
      return await this.#attempt();
    } catch (error) {
      return { is: 'unknown', because: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Gives the lease away at once, if it is ours. */
  async release(): Promise<void> {
    const found = await this.#read();
    if (!found || found.spec.holderIdentity !== this.#options.identity) return;
    const { leaseTransitions } = found.spec;
    const now = microTime(this.#options.now());
    await this.#replace(found.version, {
      holderIdentity: '',
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
      ...(leaseTransitions !== undefined && { leaseTransitions }),
    });
  }

  async #attempt(): Promise<Attempt> {
    const { identity } = this.#options;
    const found = await this.#read();
    if (!found) return this.#create();
    const holder = found.spec.holderIdentity ?? '';
    const isOurs = holder === identity;
    const forMs = this.#leftMs(found);
    if (!isOurs && holder !== '' && forMs > 0) {
      return { is: 'taken', by: holder, address: found.address, forMs };
    }
    const epoch = (found.spec.leaseTransitions ?? 0) + (isOurs ? 0 : 1);
    const { acquireTime } = found.spec;
    const claim = {
      ...this.#claim(),
      leaseTransitions: epoch,
      ...(isOurs && acquireTime !== undefined && { acquireTime }),
    };
    const version = await this.#replace(found.version, claim, this.#annotations());
    this.#seen = { version, at: this.#options.clock() };
    return { is: 'held', epoch };
  }

  #leftMs({ version, spec }: Found): number {
    const now = this.#options.clock();
    if (this.#seen?.version !== version) this.#seen = { version, at: now };
    const seconds = spec.leaseDurationSeconds ?? leaseSeconds;
    return this.#seen.at + seconds * 1000 - now;
  }

  #claim(): Spec {
    const now = microTime(this.#options.now());
    const { identity } = this.#options;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: leaseSeconds,
      acquireTime: now,
      renewTime: now,
    };
  }

  #annotations(): object {
    const address = this.#options.address?.();
    return address === undefined ? {} : { annotations: { [addressAnnotation]: address } };
  }

  async #create(): Promise<Attempt> {
    const { name } = this.#options;
    await this.#call('POST', this.#collection, {
      metadata: { name, ...this.#annotations() },
      spec: { ...this.#claim(), leaseTransitions: 1 },
    });
    return { is: 'held', epoch: 1 };
  }

  async #read(): Promise<Found | undefined> {
    try {
      const body = await this.#call('GET', this.#path);
      const { metadata, spec } = isRecord(body) ? body : {};
      const version = isRecord(metadata) ? String(metadata['resourceVersion']) : '';
      const annotations = isRecord(metadata) ? metadata['annotations'] : undefined;
      const address = isRecord(annotations) ? addressIn(annotations) : undefined;
      return { version, spec: isRecord(spec) ? spec : {}, address };
    } catch (error) {
      if (error instanceof StoreError && error.reason === 'NotFound') return undefined;
      throw error;
    }
  }

  /** All of it: what is not given goes, such as the address of who had it before. */
  async #replace(resourceVersion: string, spec: Spec, more: object = {}): Promise<string> {
    const metadata = { name: this.#options.name, resourceVersion, ...more };
    const body = await this.#call('PUT', this.#path, { metadata, spec });
    const { metadata: written } = isRecord(body) ? body : {};
    return isRecord(written) ? String(written['resourceVersion']) : '';
  }

  /** One attempt: this class's caller has its own pauses. */
  async #call(method: 'GET' | 'POST' | 'PUT', path: string, content?: object): Promise<unknown> {
    const body = content && { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...content };
    const answer = await this.#options.connection.call({
      method,
      path,
      body,
      deadlineMs: 0,
      fence: () => attemptMs,
    });
    return answer.body;
  }

  get #collection(): string {
    const { namespace } = this.#options;
    return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  }

  get #path(): string {
    return `${this.#collection}/${encodeURIComponent(this.#options.name)}`;
  }
}

interface Found {
  readonly version: string;
  readonly spec: Spec;
  readonly address: string | undefined;
}
