import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import type { Context } from './context.ts';
import { statusOf } from './engine.ts';
import { inspectImage } from './images.ts';
import { labels } from './labels.ts';

type Image = Pick<Docker.ImageInspectInfo, 'RepoDigests' | 'RootFS' | 'Config'>;

const dayMs = 86_400_000;

/**
 * Which images of the engine came with somebody's credentials: an engine gives what it has to everybody, by each of its names. The
 * manifest is noted before the image is pulled, its content as soon as it is there: under whatever name it is asked for, one of them
 * tells.
 */
export class Pulled {
  readonly #context: Context;
  readonly #folder: string;

  constructor(context: Context) {
    this.#context = context;
    this.#folder = join(context.folder, 'pulled');
    mkdirSync(this.#folder, { recursive: true });
  }

  /** Notes that an image is about to be pulled with credentials; `reference` is `repository@digest`. Durable. */
  noteManifest(reference: string): void {
    this.#write(manifestFile(reference), `${reference}\n`);
  }

  /** Notes what is in an image that is used. One whose manifest was not noted has come without credentials. */
  noteUse(reference: string, image: Image): void {
    if (!this.#has(manifestFile(reference))) return;
    this.noteManifest(reference);
    this.#noteContent(image);
  }

  /** Whether an image came with credentials, or is one of ours that was made of such a one. */
  has(image: Image): boolean {
    if ((image.RepoDigests ?? []).some((one) => this.#has(manifestFile(one)))) return true;
    const contents = contentsOf(image);
    const isOurs = image.Config.Labels?.[labels.image] !== undefined;
    return (isOurs ? contents : contents.slice(-1)).some((one) => this.#has(one));
  }

  /**
   * Removes such images that were not used for so many days. What is known of one stays as long again after it has gone. Gives how
   * many went.
   */
  async prune(days: number, now: number): Promise<number> {
    let removed = 0;
    for (const name of this.#names('manifest-')) {
      const reference = readFileSync(join(this.#folder, name), 'utf8').trim();
      if (this.#ageMs(name, now) > days * dayMs) removed += await this.#remove(reference);
      const left = await inspectImage(this.#context, reference);
      if (left) this.#noteContent(left);
    }
    const gone = this.#names('').filter((name) => this.#ageMs(name, now) > 2 * days * dayMs);
    for (const name of gone) rmSync(join(this.#folder, name), { force: true });
    return removed;
  }

  #noteContent(image: Image): void {
    const whole = contentsOf(image).at(-1);
    if (whole !== undefined) this.#write(whole, '');
  }

  async #remove(reference: string): Promise<0 | 1> {
    try {
      await this.#context.docker.getImage(reference).remove();
      return 1;
    } catch (error) {
      if ([404, 409].includes(statusOf(error) ?? 0)) return 0; // in use
      throw error;
    }
  }

  #has(name: string): boolean {
    return existsSync(join(this.#folder, name));
  }

  #names(prefix: string): readonly string[] {
    return readdirSync(this.#folder).filter((name) => name.startsWith(prefix));
  }

  #ageMs(name: string, now: number): number {
    return now - (statSync(join(this.#folder, name), { throwIfNoEntry: false })?.mtimeMs ?? now);
  }

  #write(name: string, text: string): void {
    const draft = join(this.#folder, `draft-${name}`);
    writeFileSync(draft, text, { flush: true, mode: 0o600 });
    renameSync(draft, join(this.#folder, name));
    const folder = openSync(this.#folder, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }
}

function manifestFile(reference: string): string {
  return `manifest-${reference.slice(reference.indexOf('@') + 1).replace(':', '-')}`;
}

/** A name for the content after each of its layers. */
function contentsOf({ RootFS }: Image): readonly string[] {
  const layers = RootFS?.Layers ?? [];
  return layers.map((_, index) => {
    const hash = createHash('sha256').update(layers.slice(0, index + 1).join(' '));
    return `content-${hash.digest('hex')}`;
  });
}
