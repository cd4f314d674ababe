import { lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Artifact, Prepared } from '../../builders/results.ts';
import type { RunLimits } from '../../builders/docker/request.ts';
import type { Blob } from '../../depot/depot.ts';
import type { BuildResult } from '../../crds/build.ts';

/** All that a run is asked for, so that the same one is asked for after a restart. */
export interface RunPlan {
  readonly kind: string;
  readonly sourceName: string;
  readonly version: string;
  /** What the version had to be higher than, when it was given. */
  readonly last?: string | undefined;
  readonly command: readonly string[];
  readonly epoch: number;
  readonly limits: RunLimits;
  /** The suite of its own Repository that it installs from, if it does. */
  readonly own?: string;
  /** How it was packaged, and what was not found for that; for people. */
  readonly notes?: readonly string[];
  readonly prepared: Pick<Prepared, 'image' | 'base' | 'archives'>;
  /** How much of the log is from before the run. */
  readonly logStart: number;
  readonly preparingAt: string;
  readonly buildingAt: string;
}

/** What came of a Build, up to its publication. */
export interface BuildOutcome {
  readonly result: 'Built' | Exclude<BuildResult, 'Succeeded' | 'FailedToUpload'>;
  readonly message: string;
  readonly missing?: readonly string[];
  readonly artifacts?: readonly Artifact[];
  /** When the run was over. */
  readonly finishedAt: string;
  readonly log: Blob;
}

/**
 * The folder of one Build, as long as it is not through:
 *
 *     log           what people see, as far as it is known
 *     checkout/     the commit; made anew by whoever needs it
 *     plan.json     written before the run begins
 *     outcome.json  written before the container goes
 */
export class BuildFiles {
  readonly folder: string;

  constructor(root: string, uid: string) {
    this.folder = join(root, uid);
  }

  get log(): string {
    return join(this.folder, 'log');
  }

  get checkout(): string {
    return join(this.folder, 'checkout');
  }

  async make(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
  }

  /** Whether there is anything left of it. */
  async isThere(): Promise<boolean> {
    return (await lstat(this.folder).catch(() => undefined)) !== undefined;
  }

  plan(): Promise<RunPlan | undefined> {
    return this.#read<RunPlan>('plan.json');
  }

  outcome(): Promise<BuildOutcome | undefined> {
    return this.#read<BuildOutcome>('outcome.json');
  }

  writePlan(plan: RunPlan): Promise<void> {
    return this.#write('plan.json', plan);
  }

  writeOutcome(outcome: BuildOutcome): Promise<void> {
    return this.#write('outcome.json', outcome);
  }

  async removeCheckout(): Promise<void> {
    await rm(this.checkout, { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /** What this process, or one before it, has written as a whole. */
  async #read<T>(name: string): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(join(this.folder, name), 'utf8')) as T;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #write(name: string, content: object): Promise<void> {
    const file = join(this.folder, name);
    const draft = `${file}.new`;
    {
      await using handle = await open(draft, 'w', 0o600);
      await handle.writeFile(JSON.stringify(content));
      await handle.sync();
    }
    await rename(draft, file);
    await using folder = await open(dirname(file), 'r');
    await folder.sync();
  }
}
