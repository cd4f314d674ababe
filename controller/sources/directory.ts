import { relative, resolve, sep } from 'node:path';
import { watch } from 'chokidar';
import { asCairnError } from '../../crds/reasons.ts';
import type { Log } from '../log.ts';
import type { Origin } from './origin.ts';

export interface DirectoryOptions {
  readonly location: string;
  /** Called when files have changed and then been left alone for a moment. */
  readonly onChange: () => void;
  readonly log: Log;
}

const quietMs = 200;
/** Changes that never stop are told of all the same, at least so often. */
const patienceMs = 2000;

/**
 * Watches a directory. What the kernel does not tell of (network file systems, exhausted watches)
 * is up to the regular rescan by whoever uses this.
 */
export function watchDirectory({ location, onChange, log }: DirectoryOptions): Origin {
  const root = resolve(location);
  const bell = new Bell(onChange);
  const watcher = watch(root, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path) => isIgnored(relative(root, path)),
  });
  watcher.on('all', () => bell.touch());
  watcher.on('error', (error) => {
    log.warn('can not watch a config directory; it is read once a minute', {
      location,
      error: asCairnError(error).message,
    });
  });
  return {
    state: () => ({ checkout: { root } }),
    // Its files are read in each run anyway.
    refresh: () => Promise.resolve(),
    async close() {
      bell.stop();
      await watcher.close();
    },
  };
}

function isIgnored(path: string): boolean {
  return path.split(sep).some((name) => name === 'node_modules' || /^\.(?!\.?$)/.test(name));
}

/** Rings once after a burst of touches: when it has been quiet for a while, or patience is over. */
class Bell {
  readonly #ring: () => void;
  #quiet: NodeJS.Timeout | undefined;
  #patience: NodeJS.Timeout | undefined;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  touch(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#fire(), quietMs);
    this.#patience ??= setTimeout(() => this.#fire(), patienceMs);
  }

  stop(): void {
    clearTimeout(this.#quiet);
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #fire(): void {
    this.stop();
    this.#ring();
  }
}
