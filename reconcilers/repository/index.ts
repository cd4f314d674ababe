import { asCairnError, CairnError } from '../../crds/reasons.ts';
import {
  RepositoryKind,
  type HiddenPackage,
  type Repository,
  type RepositoryState,
} from '../../crds/repository.ts';
import { waitsForLabel, UploadKind, type Upload } from '../../crds/upload.ts';
import { keptStatus } from '../kept-status.ts';
import { remember } from '../predecessors.ts';
import type { Reconciler, Report, RunContext } from '../reconciler.ts';
import { againAt, mostAheadMs, nextDate, renewAt } from '../signing/release-dates.ts';
import { signersOf, type SignerDeps, type Signers, type Signing } from '../signing/signers.ts';
import type { Receipts } from './receipts.ts';
import { lookAtDependencies } from './dependencies.ts';
import { inputsOf } from './inputs.ts';
import { FollowUps, type SlowFilesMaker } from './follow-ups.ts';
import { Jobs, type Job, type RepositoryPublisher } from './jobs.ts';
import { owedAt } from './owed.ts';
import { sourceLists } from './source-lists.ts';
import { labelOf } from './upload-manifest.ts';
import { atOnce, waiting } from './waiting.ts';

type Status = Repository['status'];
type Kept = Report<Status>['status'];

export interface RepositoryDeps extends SignerDeps {
  readonly publisher: RepositoryPublisher & SlowFilesMaker;
  readonly receipts: Receipts;
  /** How clients reach this server, without a slash at the end; undefined while nobody knows. */
  readonly baseUrl: () => string | undefined;
  /** Whether that will be known in a moment. */
  readonly isUrlComing: () => boolean;
}

/** States before the current one whose indexes still answer by-hash requests. */
const mostPredecessors = 50;
/** Nobody tells that a secret has changed. */
const lookAgainMs = 60_000;
/** The server that everything is reached by is about to listen. */
const notYetListeningMs = 1000;

/**
 * Publishes what is uploaded into a repository, and issues its Release files anew when they would
 * expire, or when its spec or keys change. What is served changes with one status write, after
 * every byte of the new state is durable; the same write says what became of the Uploads. What takes
 * long to make follows as a state of its own, when nothing has come for a while.
 */
export function repositoryReconciler(deps: RepositoryDeps): Reconciler<typeof RepositoryKind> {
  const jobs = new Jobs(deps.publisher);
  const followUps = new FollowUps(deps.publisher);
  return {
    kind: RepositoryKind,
    reconcile,
    isBusy: ({ metadata }) => jobs.isBusy(metadata.uid),
    forget: ({ uid }) => followUps.forget(uid),
  };

  async function reconcile(found: Repository, context: RunContext): Promise<Report<Status>> {
    const { namespace, name, uid } = found.metadata;
    const labels = { [waitsForLabel]: labelOf(name) };
    const { items } = await context.store.list(UploadKind.kind, { namespace, labels });
    const uploads = items as readonly Upload[]; // the store validated them as such
    const base = deps.baseUrl();
    const around = { store: context.store, secrets: deps.secrets, base };
    const needs = await lookAtDependencies(found, around);
    const dependsOn = [{ kind: UploadKind.kind, namespace, labels }, ...needs.dependsOn];
    const now = context.now();
    const outcome = jobs.take(uid, found.status.state?.tree);
    const failure = outcome.failure ?? followUps.takeFailure(uid);
    const taken = withOutcome(found, outcome.published, now);
    const { pending, untold } = waiting(name, uploads, taken.status.uploads);
    const { uploads: _, dependencies: __, dependencySourceList: ___, ...own } = taken.status;
    const status = { ...own, ...needs.status, ...(untold.length > 0 ? { uploads: untold } : {}) };
    const repository = { ...found, status };
    const sealed = await orError(secretsFor(repository, pending.length > 0, deps, now));
    if (sealed instanceof CairnError) {
      const again = { again: { ms: lookAgainMs } };
      return { status, message: '', failure: sealed, events: taken.events, dependsOn, ...again };
    }
    const { signers, receiptSecret } = sealed;
    const { state } = repository.status;
    const inputs = inputsOf(repository, signers.keys);
    const isCurrent = state?.inputs === inputs;
    const isDue = state !== undefined && now.getTime() >= renewAt(state);
    const date = nextDate(state?.date, now);
    const isAhead = date.getTime() > now.getTime() + mostAheadMs;
    const isWanted = !isCurrent || isDue || pending.length > 0 || followUps.isMade(uid);
    if (isWanted && !isAhead && !outcome.failure && !context.isSuspended && !jobs.isBusy(uid)) {
      const wishes = atOnce(pending, untold.length);
      const order = { wishes, receiptSecret, inputs, signers, date, renew: isDue };
      jobs.start(repository, { ...order, slow: followUps.take(uid) }, context.poke);
    }
    const isQuiet = !isWanted && !jobs.isBusy(uid);
    const slowAt =
      state && isCurrent && !context.isSuspended && !followUps.has(uid)
        ? owedAt(state, { isQuiet })
        : undefined;
    const isSlowDue = slowAt !== undefined && now.getTime() >= slowAt && !failure;
    if (isSlowDue) followUps.start(repository, context.poke);
    return {
      status: {
        ...repository.status,
        keys: signers.status,
        ...(base === undefined ? {} : sourceLists(repository, base)),
      },
      message: messageOf(state) + needs.remark,
      ...(needs.condition ? { condition: needs.condition } : {}),
      dependsOn,
      events: taken.events,
      ...(!isCurrent && jobs.isBusy(uid) ? { progressing: true } : {}),
      ...(failure ? { failure } : lookAgain()),
    };

    function lookAgain() {
      const hasSecrets = repository.spec.signing.keyRef !== undefined || needs.hasSecrets;
      const secrets = hasSecrets ? now.getTime() + lookAgainMs : undefined;
      const listening = deps.isUrlComing() ? now.getTime() + notYetListeningMs : undefined;
      const closer = isWanted && isAhead ? date.getTime() - mostAheadMs : undefined;
      const renewal = state && !isDue ? renewAt(state) : undefined;
      const slow = isSlowDue ? undefined : slowAt;
      return againAt([renewal, signers.nextChange, secrets, listening, closer, slow], now);
    }
  }
}

/** What nobody else knows and this needs: without it, Uploads wait. */
async function secretsFor(
  repository: Omit<Signing, 'owner'>,
  hasUploads: boolean,
  deps: RepositoryDeps,
  now: Date,
): Promise<{ readonly signers: Signers; readonly receiptSecret: string }> {
  const signers = await signersOf({ ...repository, owner: 'repository' }, deps, now);
  return { signers, receiptSecret: hasUploads ? await deps.receipts.secret() : '' };
}

/** The status with what has been published, and what is to be told of it. */
function withOutcome(
  repository: Repository,
  published: Job['published'],
  now: Date,
): { readonly status: Kept; readonly events: NonNullable<Report<Status>['events']> } {
  const kept = keptStatus(repository);
  if (!published) return { status: kept, events: [] };
  const { state, results, notes = [] } = published;
  const replaced = kept.state && kept.state.tree !== state?.tree ? kept.state.tree : undefined;
  return {
    status: {
      ...kept,
      ...(state ? { state } : {}),
      ...(replaced === undefined
        ? {}
        : {
            predecessors: remember(kept.predecessors, {
              tree: replaced,
              now,
              most: mostPredecessors,
            }),
          }),
      uploads: [...(kept.uploads ?? []), ...results],
    },
    events: [
      ...eventsOf(
        'Published',
        results.flatMap(({ packages }) => packages),
      ),
      ...hiddenSince(kept.state, state).map(asHidden),
      ...eventsOf(
        'Removed',
        results.flatMap(({ removed = [] }) => removed),
      ),
      ...notes.map(asWarning),
    ],
  };
}

const mostNamed = 20;

function eventsOf(
  reason: 'Published' | 'Removed',
  packages: readonly string[],
): NonNullable<Report<Status>['events']> {
  if (packages.length === 0) return [];
  const named = packages.slice(0, mostNamed).join(', ');
  const more = packages.length > mostNamed ? ` and ${packages.length - mostNamed} more` : '';
  return [{ type: 'Normal', reason, message: `${reason} ${named}${more}` }];
}

/** What is hidden that was not before. */
function hiddenSince(
  before: RepositoryState | undefined,
  state: RepositoryState | undefined,
): readonly HiddenPackage[] {
  const known = new Set(before?.hidden?.map((one) => JSON.stringify(one)));
  const fresh = state?.hidden?.filter((one) => !known.has(JSON.stringify(one))) ?? [];
  return fresh.slice(0, mostNamed);
}

function asHidden(one: HiddenPackage) {
  return { type: 'Warning' as const, reason: 'Hidden', message: hiddenText(one) };
}

function hiddenText({ package: name, version, source, by, suite }: HiddenPackage): string {
  return `${name} ${by} hides ${name} ${version} of Source ${source} in ${suite}`;
}

const mostCharacters = 1000;

function asWarning(note: string) {
  const message = note.slice(0, mostCharacters);
  return { type: 'Warning' as const, reason: 'LeftOut', message };
}

function messageOf(state: RepositoryState | undefined): string {
  if (!state) return 'Making its first Release files';
  const suites = state.suites.map(({ suite }) => suite).join(', ');
  const [hidden, ...more] = state.hidden ?? [];
  const others = more.length > 0 ? `, and ${more.length} more` : '';
  const but = hidden ? `; ${hiddenText(hidden)}${others}` : '';
  return `Serves ${state.packages} pool files in ${suites}${but}`;
}

async function orError<Result>(work: Promise<Result>): Promise<Result | CairnError> {
  try {
    return await work;
  } catch (error) {
    return asCairnError(error);
  }
}
