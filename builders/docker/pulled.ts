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

type Image = Pick<Docker.ImageInspectInfo, 'RepoDigests' | 'RootFS'>;

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

  /** Whether an image came with credentials. */
  has(image: Image): boolean {
    if ((image.RepoDigests ?? []).some((one) => this.#has(manifestFile(one)))) return true;
    const content = contentOf(image);
    return content !== undefined && this.#has(content);
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
    const content = contentOf(image);
    if (content !== undefined) this.#write(content, '');
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

/** A name for what is in it, whatever it is called; undefined of an empty one. */
function contentOf({ RootFS }: Image): string | undefined {
  const { Layers: layers = [] } = RootFS ?? {};
  if (layers.length === 0) return undefined;
  return `content-${createHash('sha256').update(layers.join(' ')).digest('hex')}`;
}
