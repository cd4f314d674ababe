import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asCairnError, CairnError } from '../../crds/reasons.ts';
import type { Secret, SecretName, Secrets } from '../../reconcilers/secrets.ts';
import { gitAccess } from '../../reconcilers/git/access.ts';
import { GitClone } from './git-clone.ts';
import { isRemote, type Origin, type OriginState } from './origin.ts';

export interface GitOptions {
  readonly location: string;
  /** Left out: the default branch. */
  readonly branch?: string | undefined;
  /** How often to ask whether the branch has moved. */
  readonly intervalMs: number;
  /** The secret with the credentials. */
  readonly secret?: SecretName | undefined;
  readonly secrets: Secrets;
  /** A directory of its own, which is emptied. */
  readonly folder: string;
  /** Called when `state` has changed. */
  readonly onChange: () => void;
}

const maxBackoffMs = 300_000;
/** Every command of a look is ended after ten minutes, and there are a few. */
const longestLookMs = 3_600_000;

/**
 * Follows a branch of a git repository: asks for its tip again and again, and fetches when it has
 * moved, wherever it has moved to. While the server can't be reached, or the branch is gone, the
 * last good state stays.
 */
export function followGit(options: GitOptions): Origin {
  return new GitOrigin(options);
}

class GitOrigin implements Origin {
  readonly #options: GitOptions;
  readonly #location: string;
  readonly #clone: GitClone;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #waking = new AbortController();
  /** Who has asked for a look since the last one began. */
  #waiting: (() => void)[] = [];
  #state: OriginState = {};
  #failures = 0;
  /** When the next look is to have ended, by `performance.now()`. */
  #due = performance.now() + longestLookMs;

  constructor(options: GitOptions) {
    this.#options = options;
    const { location } = options;
    this.#location = isRemote(location) ? location : resolve(location);
    const { branch, folder } = options;
    this.#clone = new GitClone({
      location: this.#location,
      branch,
      folder,
      signal: this.#closing.signal,
    });
    this.#running = this.#run();
  }

  state(): OriginState {
    return this.#state;
  }

  refresh(): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    this.#waking.abort();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  lateMs(): number {
    return Math.max(0, performance.now() - this.#due);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#waking.abort();
    await this.#running;
    for (const resolve of this.#waiting) resolve();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#waking = new AbortController();
      const { signal } = this.#waking;
      const waiting = this.#waiting;
      this.#waiting = [];
      await this.#look();
      for (const resolve of waiting) resolve();
      if (this.#closing.signal.aborted) return;
      const ms = this.#pauseMs();
      this.#due = performance.now() + ms + longestLookMs;
      await sleep(ms, undefined, { signal, ref: false }).catch(ignore);
    }
  }

  /** Doubles with every failure in a row. */
  #pauseMs(): number {
    const { intervalMs } = this.#options;
    return Math.max(intervalMs, Math.min(intervalMs * 2 ** this.#failures, maxBackoffMs));
  }

  async #look(): Promise<void> {
    const before = this.#state;
    try {
      this.#state = await this.#newest(before);
      this.#failures = 0;
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const failure = asCairnError(error);
      this.#failures++;
      this.#state = before.checkout ? { checkout: before.checkout, failure } : { failure };
    }
    if (!isSameState(before, this.#state)) this.#options.onChange();
  }

  async #newest({ checkout }: OriginState): Promise<OriginState> {
    await this.#clone.prepare();
    const { folder } = this.#options;
    const access = await gitAccess(this.#location, { secret: await this.#secret(), folder });
    try {
      const tip = await this.#clone.tip(access);
      if (checkout?.revision === tip) return { checkout };
      const { commit, root } = await this.#clone.fetch(access);
      // The files before stay until the next change: somebody may be reading them.
      await this.#clone.keepOnly([commit, ...(checkout?.revision ? [checkout.revision] : [])]);
      return { checkout: { root, revision: commit } };
    } finally {
      await access.dispose();
    }
  }

  async #secret(): Promise<Secret | undefined> {
    const { secret: name, secrets } = this.#options;
    if (name === undefined) return undefined;
    const secret = await secrets(name);
    if (!secret) throw new CairnError('SecretMissing', `there is no secret ${name.name}`);
    return secret;
  }
}

function isSameState(a: OriginState, b: OriginState): boolean {
  return (
    a.checkout?.revision === b.checkout?.revision &&
    a.failure?.reason === b.failure?.reason &&
    a.failure?.message === b.failure?.message
  );
}

function ignore(): void {}
