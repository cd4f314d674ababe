import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { RunEnd } from '../results.ts';

/** Why a run was ended from outside. */
export interface End {
  readonly because: RunEnd | 'Cancelled';
  readonly message: string;
}

/**
 * What is written down before a container is killed, so that a controller that is killed itself at that moment knows afterwards
 * whose doing it was. The first reason stays.
 */
export class Ends {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, 'ends');
    mkdirSync(this.#folder, { recursive: true });
  }

  read(id: string): End | undefined {
    try {
      return parseEnd(JSON.parse(readFileSync(join(this.#folder, id), 'utf8')));
    } catch {
      return undefined;
    }
  }

  write(id: string, end: End): void {
    const draft = join(this.#folder, `.${randomBytes(8).toString('hex')}`);
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, JSON.stringify(end));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(draft, join(this.#folder, id));
    } catch (error) {
      if (this.read(id) === undefined) throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }

  forget(id: string): void {
    rmSync(join(this.#folder, id), { force: true });
  }

  /** Forgets all but these. */
  keep(ids: ReadonlySet<string>): void {
    for (const name of readdirSync(this.#folder)) if (!ids.has(name)) this.forget(name);
  }
}

const reasons: readonly End['because'][] = [
  ...(['ExitCode', 'OutOfMemory', 'TimeLimit', 'SilenceLimit', 'DiskLimit'] as const),
  ...(['ProcessLimit', 'OutputLimit', 'ArtifactsRefused', 'Cancelled'] as const),
];

function parseEnd(value: unknown): End | undefined {
  const { because: word, message } = Object(value);
  const because = reasons.find((reason) => reason === word);
  return because && typeof message === 'string' ? { because, message } : undefined;
}
