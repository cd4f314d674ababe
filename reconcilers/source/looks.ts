import { durationMs } from '../../crds/duration.ts';
import { annotations } from '../../crds/object.ts';
import type { Source } from '../../crds/source.ts';
import type { RefWatch, Seen } from '../git/watch.ts';
import type { RunContext } from '../reconciler.ts';
import { readSecret, type Secrets } from '../secrets.ts';

export interface LookDeps {
  readonly watch: RefWatch;
  readonly secrets: Secrets;
}

/** What one run of a Source knows of its repository. */
export interface Look {
  /** Undefined while the repository is asked, and what it said before does not count. */
  readonly seen: Seen | undefined;
  /** Whether what somebody asked for is in `seen` already. */
  readonly isAnswered: boolean;
  /** When to ask again: milliseconds from now. */
  readonly againMs: number;
}

const leastIntervalMs = 1000;
const usualIntervalMs = 10_000;
/** Events get lost: git hosts try for a while, or not at all. */
const intervalWithWebhookMs = 600_000;
const longestBackoffMs = 300_000;
const mostDoublings = 16;

interface Memory {
  /** Looks in a row that failed, and when the last of them was. */
  failures: number;
  failedAt: number;
  /** What people and git hosts have asked for last, and since when that is known here. */
  requested: string | undefined;
  pushed: string | undefined;
  since: number;
}

/** Asks git for each Source as often as it wants, and as somebody asks for it. */
export class Looks {
  readonly #deps: LookDeps;
  readonly #memory = new Map<string, Memory>();

  constructor(deps: LookDeps) {
    this.#deps = deps;
  }

  /** Throws `SecretMissing`. */
  async look(source: Source, context: RunContext, hasWebhook: boolean): Promise<Look> {
    const { metadata, spec, status } = source;
    const now = context.now().getTime();
    const memory = this.#memoryOf(metadata.uid);
    noteWish(memory, source, context);
    const everyMs = intervalOf(spec, hasWebhook);
    const afterMs = backedOff(everyMs, memory.failures);
    // What others have seen a while ago is not good enough for a new declaration.
    const isNew = status.observedGeneration !== metadata.generation;
    const { secretRef, url } = spec;
    const remote = { url, secret: await readSecret(this.#deps.secrets, metadata, secretRef) };
    const maxAgeMs = isNew ? Math.min(afterMs, usualIntervalMs) : afterMs;
    const seen = this.#deps.watch.look(remote, {
      ...{ who: metadata.uid, now, maxAgeMs, since: memory.since },
      ...{ isOpen: isNew, poke: context.poke },
    });
    const isOld = seen === undefined || now - seen.at >= maxAgeMs;
    if (seen === undefined || (isNew && isOld)) {
      return { seen: undefined, isAnswered: false, againMs: afterMs };
    }
    note(memory, seen);
    const nextMs = isOld ? afterMs : seen.at + backedOff(everyMs, memory.failures) - now;
    return { seen, isAnswered: seen.at >= memory.since, againMs: Math.max(nextMs, 100) };
  }

  forget(uid: string): void {
    this.#memory.delete(uid);
    this.#deps.watch.leave(uid);
  }

  #memoryOf(uid: string): Memory {
    const known = this.#memory.get(uid);
    if (known) return known;
    const memory = { failures: 0, failedAt: 0, requested: undefined, pushed: undefined, since: 0 };
    this.#memory.set(uid, memory);
    return memory;
  }
}

/** Only a look that begins after the wish came can answer it. */
function noteWish(memory: Memory, { metadata }: Source, { requested, now }: RunContext): void {
  const pushed = metadata.annotations?.[annotations.pushed];
  const isNew = (wish: string | undefined, known: string | undefined) =>
    wish !== undefined && wish !== known;
  if (isNew(requested, memory.requested) || isNew(pushed, memory.pushed)) {
    memory.since = now().getTime();
  }
  memory.requested = requested ?? memory.requested;
  memory.pushed = pushed ?? memory.pushed;
}

function note(memory: Memory, seen: Seen): void {
  if ('refs' in seen) memory.failures = 0;
  else if (seen.at !== memory.failedAt) {
    memory.failures = Math.min(memory.failures + 1, mostDoublings);
    memory.failedAt = seen.at;
  }
}

function intervalOf({ interval }: Source['spec'], hasWebhook: boolean): number {
  if (interval !== undefined) return Math.max(durationMs(interval), leastIntervalMs);
  return hasWebhook ? intervalWithWebhookMs : usualIntervalMs;
}

/** After failures, first sooner than usual where that is seldom, then less and less often. */
function backedOff(everyMs: number, failures: number): number {
  if (failures === 0) return everyMs;
  const first = Math.min(everyMs, usualIntervalMs);
  return Math.min(first * 2 ** (failures - 1), Math.max(longestBackoffMs, first));
}
