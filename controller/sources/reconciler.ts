import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigSourceKind, type ConfigSource } from '../../crds/config-source.ts';
import { asCairnError, CairnError } from '../../crds/reasons.ts';
import { annotations, conditionOf, isReady, keyOf } from '../../crds/object.ts';
import { durationMs } from '../../crds/duration.ts';
import type { Inventory, Store } from '../../crds/store.ts';
import type { Reconciler, Report, RunContext } from '../../reconcilers/reconciler.ts';
import type { Secrets } from '../../reconcilers/secrets.ts';
import type { Log } from '../log.ts';
import type { Applied } from './apply.ts';
import { carryOut, type CarryOutOptions } from './carry-out.ts';
import { watchDirectory } from './directory.ts';
import { keptCondition } from './drift-report.ts';
import { Corrections, dependenciesOf, type DriftObserver } from './drift.ts';
import { followGit } from './git.ts';
import { readManifests, type Reading } from './manifests.ts';
import { originType, type Checkout, type Origin } from './origin.ts';
import { allObjects } from './paths.ts';
import { planChanges, type Plan } from './plan.ts';
import { reportOf } from './report.ts';

export { planPath, validatePath } from './paths.ts';

export interface ConfigSourceOptions {
  /** Clones of git repositories are kept below it, in `sources`. */
  readonly dataDir: string;
  readonly store: Store;
  /** What the config source of that name has applied. */
  readonly inventory: (source: string) => Inventory;
  readonly secrets: Secrets;
  readonly now: () => Date;
  readonly log: Log;
  readonly observer?: DriftObserver;
}

export type ConfigSourceReconciler = Reconciler<typeof ConfigSourceKind> & {
  /** Those that are not looked at any more, in sentences for people: a restart begins anew. */
  problems(): readonly string[];
  /** Ends all watching. */
  close(): Promise<void>;
};

type Status = ConfigSource['status'];

/** What watching misses is found by reading everything again, once a minute. */
const rescanMs = 60_000;
/** How long a directory has to agree with itself before anything is pruned. */
const settleMs = 1000;

/** Makes the store hold what directories and git repositories of manifests declare. */
export function configSourceReconciler(options: ConfigSourceOptions): ConfigSourceReconciler {
  const followed = new Map<string, Followed>();
  return {
    kind: ConfigSourceKind,
    async reconcile(source, context) {
      const one = await follow(followed, source, options);
      one.poke = context.poke;
      const isAnswered = answer(one, context.requested);
      const report = await new Run(source, one, { ...options, signal: context.signal }).report();
      return isAnswered ? report : { ...report, handled: null };
    },
    async finalize(source) {
      await forget(followed, source.metadata.uid);
      options.observer?.forget(source);
      await rm(folderOf(source, options), { recursive: true, force: true });
    },
    problems: () =>
      [...followed.values()].flatMap(({ name, origin }) => {
        const minutes = Math.floor((origin.lateMs?.() ?? 0) / 60_000);
        return minutes > 0 ? [`${name} was to be looked at ${minutes} minutes ago`] : [];
      }),
    async close() {
      await Promise.all([...followed.keys()].map((uid) => forget(followed, uid)));
    },
  };
}

/** A config source that is being watched. All of it can be lost: it saves work and time only. */
interface Followed {
  readonly name: string;
  /** What the origin was made from. */
  readonly from: string;
  readonly origin: Origin;
  poke: RunContext['poke'];
  readonly corrections: Corrections;
  /** The last reading of a commit, which never changes. */
  reading?: { readonly of: string; readonly reading: Reading };
  /** What a person has asked for last, and whether the origin has been looked at since. */
  request?: { readonly value: string; isDone: boolean };
  /** What the run before has read when it would have pruned something. */
  pruning?: string | undefined;
}

async function follow(
  followed: Map<string, Followed>,
  source: ConfigSource,
  options: ConfigSourceOptions,
): Promise<Followed> {
  const { location, branch, interval, secretRef } = source.spec;
  const type = await originType(location);
  const from = JSON.stringify([type, location, branch, interval, secretRef]);
  const { uid } = source.metadata;
  const known = followed.get(uid);
  if (known?.from === from) return known;
  await forget(followed, uid);
  if (type === 'directory' && branch !== undefined) {
    options.log.warn('a directory is read as it is, on no branch', { location, branch });
  }
  const onChange = () => one.poke();
  const git = {
    location,
    branch,
    intervalMs: Math.max(1000, durationMs(interval)),
    secret: secretRef && { namespace: source.metadata.namespace, name: secretRef.name },
    secrets: options.secrets,
    folder: folderOf(source, options),
    onChange,
  };
  const origin =
    type === 'git' ? followGit(git) : watchDirectory({ location, onChange, log: options.log });
  const corrections = known?.corrections ?? new Corrections();
  const one: Followed = { name: nameOf(source), from, origin, poke: () => {}, corrections };
  followed.set(uid, one);
  return one;
}

/** Whether the origin was looked at since a person asked for it; sees to it if it was not. */
function answer(one: Followed, requested: string | undefined): boolean {
  if (requested === undefined) return true;
  if (one.request?.value !== requested) {
    const request = { value: requested, isDone: false };
    one.request = request;
    void one.origin.refresh().then(() => {
      request.isDone = true;
      one.poke();
    });
  }
  return one.request.isDone;
}

async function forget(followed: Map<string, Followed>, uid: string): Promise<void> {
  const one = followed.get(uid);
  followed.delete(uid);
  await one?.origin.close();
}

function folderOf({ metadata }: ConfigSource, { dataDir }: ConfigSourceOptions): string {
  return join(dataDir, 'sources', `${metadata.namespace}_${metadata.name}`);
}

type RunOptions = ConfigSourceOptions & Pick<RunContext, 'signal'>;

class Run {
  readonly #source: ConfigSource;
  readonly #followed: Followed;
  readonly #options: RunOptions;

  constructor(source: ConfigSource, followed: Followed, options: RunOptions) {
    this.#source = source;
    this.#followed = followed;
    this.#options = options;
  }

  async report(): Promise<Report<ConfigSource['status']>> {
    const { checkout, failure } = this.#followed.origin.state();
    if (!checkout) return failure ? this.#unreachable(failure) : this.#starting();
    let reading: Reading;
    try {
      reading = await this.#read(checkout);
    } catch (error) {
      return this.#unreachable(failure ?? unreadable(error, this.#source));
    }
    const plan = await this.#plan(reading);
    const settled = this.#isSettled(checkout, reading, plan);
    const target = this.#target();
    const {
      applied,
      drift,
      againMs = rescanMs,
    } = await carryOut(settled ? plan : { ...plan, prune: [] }, target);
    this.#log(applied);
    const left = drift.reported.length + drift.contested.length;
    this.#options.observer?.seen(this.#source, { corrected: drift.corrected.length, left });
    const { source: name } = target;
    const found = { source: this.#source, name, checkout, reading, plan, applied, drift, failure };
    const report = { ...reportOf(found), dependsOn: dependenciesOf(reading) };
    if (settled) return { ...report, again: { ms: Math.min(againMs, rescanMs) } };
    return { ...report, again: { ms: settleMs, exact: true }, handled: null };
  }

  async #read({ root, revision }: Checkout): Promise<Reading> {
    const { path } = this.#source.spec;
    if (revision === undefined) return readManifests(root, { path });
    const of = JSON.stringify([revision, path]);
    if (this.#followed.reading?.of !== of) {
      this.#followed.reading = { of, reading: await readManifests(root, { path }) };
    }
    return this.#followed.reading.reading;
  }

  async #plan(reading: Reading): Promise<Plan> {
    const { store, inventory } = this.#options;
    return planChanges({
      reading,
      inventory: await inventory(nameOf(this.#source)).list(),
      objects: await allObjects(store),
      claims: await this.#claims(),
      approved: this.#source.metadata.annotations?.[annotations.pruneApproved],
    });
  }

  /** What other config sources have applied. */
  async #claims(): Promise<ReadonlyMap<string, string>> {
    const { store, inventory } = this.#options;
    const claims = new Map<string, string>();
    const { items } = await store.list(ConfigSourceKind.kind);
    for (const other of items) {
      if (other.metadata.uid === this.#source.metadata.uid) continue;
      const name = nameOf(other);
      for (const entry of await inventory(name).list()) claims.set(keyOf(entry), name);
    }
    return claims;
  }

  /**
   * A directory may be caught while somebody copies it or checks a branch out, when files are
   * missing that come back: a file counts as deleted once two readings in a row are the same.
   */
  #isSettled({ revision }: Checkout, { digest }: Reading, { prune }: Plan): boolean {
    const before = this.#followed.pruning;
    this.#followed.pruning = prune.length > 0 ? digest : undefined;
    return revision !== undefined || before === this.#followed.pruning || prune.length === 0;
  }

  #target(): CarryOutOptions {
    const { store, inventory, now, log, signal } = this.#options;
    const source = nameOf(this.#source);
    const { corrections } = this.#followed;
    const policy = this.#source.spec.drift;
    const own = inventory(source);
    return { store, source, inventory: own, signal, policy, corrections, now, log };
  }

  #starting(): Report<ConfigSource['status']> {
    const again = { ms: rescanMs };
    // After a restart, what was good before is good until something else is known.
    const message = conditionOf(this.#source, 'Ready')?.message;
    if (isReady(this.#source) && message !== undefined) {
      return { ...statusOf(this.#source), message, again };
    }
    const reading = `reading ${this.#source.spec.location}`;
    return { ...statusOf(this.#source), message: reading, progressing: true, again };
  }

  #unreachable(failure: CairnError): Report<ConfigSource['status']> {
    const again = { ms: rescanMs };
    return { ...statusOf(this.#source), message: failure.message, failure, again };
  }

  #log({ created, configured, pruned }: Applied): void {
    const source = nameOf(this.#source);
    const tell = (message: string, objects: Applied['created']) => {
      for (const object of objects)
        this.#options.log.info(message, { source, object: keyOf(object) });
    };
    tell('created what a config source declares', created);
    tell('changed what a config source declares', configured);
    tell('deleted what a config source declares no more', pruned);
  }
}

/** Why nothing below the declared path could be read. */
function unreadable(error: unknown, { spec }: ConfigSource): CairnError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = spec.path === '.' ? spec.location : `${spec.path} of ${spec.location}`;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new CairnError('ConfigUnreachable', `there is no directory ${where}`);
  }
  return new CairnError(
    'ConfigUnreachable',
    `can not read ${where}: ${asCairnError(error).message}`,
  );
}

/** What the source has reported before, without what belongs to the loop. */
function statusOf(source: ConfigSource): Pick<Report<Status>, 'condition' | 'status'> {
  const {
    conditions: _c,
    observedGeneration: _o,
    lastHandledReconcileAt: _l,
    ...status
  } = source.status;
  return { status, ...keptCondition(source) };
}

/** The name of a config source in inventories. */
function nameOf({ metadata }: { metadata: { namespace: string; name: string } }): string {
  return `${metadata.namespace}/${metadata.name}`;
}
