import { BuildKind, type Build } from '../../crds/build.ts';
import { annotations, type ObjectKey } from '../../crds/object.ts';
import { CairnError } from '../../crds/reasons.ts';
import { sourceLabel, SourceKind, type Source } from '../../crds/source.ts';
import { StoreError, type StoreWriter } from '../../crds/store.ts';
import { keptStatus } from '../kept-status.ts';
import type { Reconciler, Report, RunContext } from '../reconciler.ts';
import { chooseRef, type Chosen } from './choose.ts';
import { Looks, type LookDeps } from './looks.ts';
import { buildManifest, buildName, labelOf, newestOf, wantedBuild } from './plan-build.ts';
import { packagesOf } from './packages.ts';
import type { Offers } from '../archives/own-suite.ts';
import { ignoreGone, removeMade, type RemovalDeps } from './removal.ts';
import type { Then } from './retry.ts';
import { tell } from './tell.ts';
import { changedSince } from './waiting.ts';
import { webhookOf, type Webhook } from './webhook.ts';

type Status = Source['status'];
type Kept = Report<Status>['status'];

export interface SourceDeps extends LookDeps, RemovalDeps {
  readonly store: RemovalDeps['store'] & Pick<StoreWriter, 'update'>;
  readonly offers: Offers;
  /** How git hosts reach this server, without a slash at the end; undefined while nobody knows. */
  readonly baseUrl: () => string | undefined;
  /** Why nothing can be built here; undefined when it can. */
  readonly missing: string | undefined;
}

/**
 * Follows a ref of a git repository, and has one Build made for each commit that it comes to. The
 * Build's name says what it is for, so that a run that was broken off is repeated without harm.
 */
export function sourceReconciler(deps: SourceDeps): Reconciler<typeof SourceKind> {
  const looks = new Looks(deps);
  return {
    kind: SourceKind,
    reconcile,
    forget: ({ uid }) => looks.forget(uid),
    // One that has nothing to clean up goes at once: see `holds`.
    isHeldByOthers: true,
    finalize: async (source, context) =>
      removeMade(source, await buildsOf(source, context), deps, context),
    keptBy: (source) => [buildsKey(source)],
  };

  async function reconcile(source: Source, context: RunContext): Promise<Report<Status>> {
    const builds = await buildsOf(source, context);
    const webhook = await webhookOf(source, { secrets: deps.secrets, base: deps.baseUrl() });
    const status = withWebhook(withMade(source, builds), webhook);
    const look = await lookOrFailure(source, context, webhook);
    const { keys, ...changed } = await changedSince(newestOf(builds), source, deps);
    const common = {
      dependsOn: [buildsKey(source), ...keys],
      ...(source.spec.deletionPolicy === 'Remove' ? { holds: [keyFieldsOf(source)] } : {}),
      ...(webhook && { condition: webhook.condition }),
      ...('againMs' in look ? { again: { ms: look.againMs } } : {}),
      ...('isAnswered' in look && !look.isAnswered
        ? { handled: source.status.lastHandledReconcileAt ?? null }
        : {}),
    };
    if (look instanceof CairnError) return { status, message: '', failure: look, ...common };
    const { seen } = look;
    if (!seen) return { status, ...tell(newestOf(builds)), ...common };
    const chosen =
      'failure' in seen ? seen.failure : await orFailure(() => chooseRef(source.spec, seen.refs));
    if (chosen instanceof CairnError) return { status, message: '', failure: chosen, ...common };
    const build = await ensure(source, chosen, builds, { ...changed, now: context.now() });
    await cancelOlder(source, build, builds);
    await prune(source, build, builds);
    return {
      status: {
        ...status,
        ...chosen,
        build: build.metadata.name,
        counter: Math.max(status.counter ?? 0, build.spec.counter),
      },
      ...tell(build),
      ...common,
    };
  }

  async function lookOrFailure(source: Source, context: RunContext, webhook: Webhook | undefined) {
    if (deps.missing !== undefined) return new CairnError('BuilderUnavailable', deps.missing);
    return orFailure(() => looks.look(source, context, webhook?.works === true));
  }

  /** The Build of a commit: it is there already, or is made now. */
  async function ensure(
    source: Source,
    chosen: Chosen,
    builds: readonly Build[],
    then: Then,
  ): Promise<Build> {
    const wanted = wantedBuild(source, builds, chosen, then);
    if ('existing' in wanted) return wanted.existing;
    const { wish, asked, attempt } = wanted;
    const name = buildName(source, chosen.commit, wish);
    const counters = builds.map(({ spec }) => spec.counter);
    const counter = Math.max(source.status.counter ?? 0, ...counters) + 1;
    const manifest = buildManifest(source, chosen, { name, counter, attempt, asked });
    try {
      return (await deps.store.create(manifest)) as Build; // the store validated it as such
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'AlreadyExists') throw error;
      throw new StoreError('Conflict', 'its Build was made just now', { cause: error });
    }
  }

  /** Others that are not through yet are in the way of the one that is wanted. */
  async function cancelOlder(source: Source, wanted: Build, builds: readonly Build[]) {
    if (source.spec.supersede !== 'Cancel') return;
    for (const build of builds) {
      const given = build.metadata.annotations ?? {};
      const isOlder = build.spec.counter < wanted.spec.counter;
      if (!isOlder || isOver(build) || given[annotations.cancel] !== undefined) continue;
      const metadata = {
        ...build.metadata,
        annotations: { ...given, [annotations.cancel]: superseded },
      };
      await deps.store.update({ ...build, metadata });
    }
  }

  async function prune({ spec }: Source, wanted: Build, builds: readonly Build[]): Promise<void> {
    const over = builds
      .filter((build) => isOver(build) && build.metadata.uid !== wanted.metadata.uid)
      .toSorted((a, b) => b.spec.counter - a.spec.counter);
    for (const { kind, metadata } of over.slice(Math.max(spec.historyLimit - 1, 0))) {
      const { namespace, name, uid } = metadata;
      await deps.store.delete({ kind, namespace, name }, { uid }).catch(ignoreGone);
    }
  }
}

/** The value of the annotation that ends a Build for a newer one. */
const superseded = 'Superseded';

function selector({ metadata: { namespace, name } }: Source) {
  return { namespace, labels: { [sourceLabel]: labelOf(name) } };
}

function buildsKey(source: Source) {
  return { kind: BuildKind.kind, ...selector(source) };
}

function keyFieldsOf({ kind, metadata: { namespace, name } }: Source): ObjectKey {
  return { kind, namespace, name };
}

async function buildsOf(source: Source, { store }: RunContext): Promise<readonly Build[]> {
  const { items } = await store.list(BuildKind.kind, selector(source));
  const { uid } = source.metadata;
  return (items as readonly Build[]).filter(({ metadata }) =>
    metadata.ownerReferences?.some((owner) => owner.uid === uid),
  );
}

/** What Builds have made, and what the newest that was published says, whichever commit is wanted by now. */
function withMade(source: Source, builds: readonly Build[]): Kept {
  const packages = packagesOf(source, builds);
  const status = {
    ...keptStatus(source),
    ...(packages.length > 0 ? { packages: [...packages] } : {}),
  };
  const published = newestOf(builds.filter((build) => build.status.result === 'Succeeded'));
  const version = published?.status.version;
  if (!published || version === undefined) return status;
  return { ...status, version, publishedCommit: published.spec.commit };
}

/** What fails now may do later: it is tried again like any other. */
async function orFailure<Result>(
  work: () => Result | Promise<Result>,
): Promise<Result | CairnError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CairnError) return error;
    throw error;
  }
}

function withWebhook({ webhookUrl: _, ...status }: Kept, webhook: Webhook | undefined): Kept {
  return webhook?.url === undefined ? status : { ...status, webhookUrl: webhook.url };
}

function isOver({ status }: Build): boolean {
  return status.finishedAt !== undefined;
}
