import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord } from '../../crds/record.ts';
import { StoreError } from '../../crds/store.ts';
import type { Caller } from '../store/kubernetes/connection.ts';

export interface SecretBookOptions {
  readonly connection: Caller;
  readonly namespace: string;
  /** Of the Secret. */
  readonly name: string;
  /** As in `cairn.build/keys`; of a Secret that a person has made it may be another. */
  readonly type: string;
}

/** Texts by their names. A name has letters, digits, `-`, `_` and `.`, 253 of them at most. */
export type Entries = Readonly<Record<string, string>>;

const mostAttempts = 10;
const longestPauseMs = 200;
/** Of one call, with what it repeats. */
const deadlineMs = 10_000;
/** After so long, no attempt is made any more. */
const patienceMs = 20_000;

/** What was sent is known: of the answer, only the version is wanted. */
const metadataOnly = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

/** Somebody else was quicker, or nobody knows whether it was done: reading tells. */
const worthAnotherLook: ReadonlySet<string> = new Set([
  'AlreadyExists',
  'Conflict',
  'NotFound',
  'Unavailable',
]);

/**
 * A Secret that is only ever added to. Of all processes that add an entry of the same name one
 * wins, and every one of them gets what that one wrote. Errors are `StoreError`s, without values.
 */
export class SecretBook {
  readonly #options: SecretBookOptions;
  /** Everything seen so far: entries never change. */
  readonly #known = new Map<string, string>();
  /** What is to be added. */
  readonly #pending = new Map<string, string>();
  /** The resource version read last; empty when there was no Secret. Undefined: to be read. */
  #version: string | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(options: SecretBookOptions) {
    this.#options = options;
  }

  /** The Secret, for people: `namespace/name`. */
  get title(): string {
    return `${this.#options.namespace}/${this.#options.name}`;
  }

  /** An entry, if there is one. Asks the server only for what was never seen. */
  async find(name: string): Promise<string | undefined> {
    if (!this.#known.has(name)) await this.#read();
    return this.#known.get(name);
  }

  /** An entry as far as it is known; asks the server only if it was never asked. */
  async seen(name: string): Promise<string | undefined> {
    if (!this.#known.has(name) && this.#version === undefined) await this.#read();
    return this.#known.get(name);
  }

  /** Adds entries, and gives all of those names as they are from now on: what was there stays. */
  async add(entries: Entries): Promise<Entries> {
    const names = Object.keys(entries);
    for (const [name, value] of Object.entries(entries)) {
      if (!this.#known.has(name) && !this.#pending.has(name)) this.#pending.set(name, value);
    }
    const turn = this.#last.then(() => this.#write(names));
    this.#last = turn.catch(() => {});
    await turn;
    return Object.fromEntries(names.map((name) => [name, this.#known.get(name) ?? '']));
  }

  /** Writes all that is pending, unless the turn before has written these names along. */
  async #write(names: readonly string[]): Promise<void> {
    const until = performance.now() + patienceMs;
    for (let attempt = 1; ; attempt += 1) {
      if (names.every((name) => this.#known.has(name))) return;
      try {
        if (this.#version === undefined) await this.#read();
        else await this.#send();
      } catch (error) {
        this.#version = undefined;
        const isOver = attempt >= mostAttempts || performance.now() > until;
        if (isOver || !(error instanceof StoreError) || !worthAnotherLook.has(error.reason)) {
          throw error;
        }
        await sleep(Math.random() * longestPauseMs);
      }
    }
  }

  async #send(): Promise<void> {
    const { connection, name, type } = this.#options;
    const sent = [...this.#pending];
    const data = Object.fromEntries(
      sent.map(([entry, value]) => [entry, Buffer.from(value).toString('base64')]),
    );
    const isNew = this.#version === '';
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'cairn' } },
      type,
      data,
    };
    // The server refuses a patch of another version than this: Conflict.
    const patch = { metadata: { resourceVersion: this.#version }, data };
    const answer = await connection.call({
      method: isNew ? 'POST' : 'PATCH',
      path: `${isNew ? this.#collection : this.#path}?fieldManager=cairn`,
      type: isNew ? 'application/json' : 'application/merge-patch+json',
      body: isNew ? secret : patch,
      accept: metadataOnly,
      deadlineMs,
    });
    this.#learn(sent, answer.body);
  }

  async #read(): Promise<void> {
    try {
      const call = { method: 'GET', path: this.#path, deadlineMs } as const;
      const { body } = await this.#options.connection.call(call);
      this.#learn(Object.entries(textsOf(isRecord(body) ? body['data'] : {})), body);
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'NotFound') throw error;
      this.#version = '';
    }
  }

  /** These are there, in the version that the Secret has now. */
  #learn(entries: readonly (readonly [string, string])[], body: unknown): void {
    for (const [name, value] of entries) {
      if (!this.#known.has(name)) this.#known.set(name, value);
      this.#pending.delete(name);
    }
    const { metadata } = isRecord(body) ? body : {};
    const version = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
    this.#version = typeof version === 'string' ? version : undefined;
  }

  get #collection(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#options.namespace)}/secrets`;
  }

  get #path(): string {
    return `${this.#collection}/${encodeURIComponent(this.#options.name)}`;
  }
}

/** The `data` of a Secret as texts. */
export function textsOf(data: unknown): Record<string, string> {
  const texts = Object.entries(isRecord(data) ? data : {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(
    texts.map(([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')]),
  );
}
