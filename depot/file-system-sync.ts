import { spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** For each directory that it reads, in a line, it says in a line how syncing has ended. */
const script = `while IFS= read -r root; do
  told=$("$0" -f "$root" 2>&1)
  code=$?
  set -f; set -- $told
  printf '%s %s\\n' "$code" "$*"
done`;
/** A fixed environment: what went wrong is told in English. */
const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

/** What `sync` has said, and how it ended: 0 is good, 126 and 127 are the shell's, as in sh(1). */
export interface SyncEnd {
  readonly code: number;
  readonly told: string;
}

/**
 * Has a small process of its own start the program `sync`. A process as large as ours takes tens of
 * milliseconds to fork, and does nothing else meanwhile. The small one ends by itself, as ours does.
 */
export class FileSystemSync {
  readonly #command: string;
  #shell: Shell | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(command: string) {
    this.#command = command;
  }

  /** Brings the file system of a directory to the disk, as syncfs(2) does. */
  sync(root: string): Promise<SyncEnd> {
    // Should the small process have been killed meanwhile, a new one is asked, once.
    const turn = this.#last.then(() => this.#ask(root).catch(() => this.#ask(root)));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #ask(root: string): Promise<SyncEnd> {
    if (root.includes('\n')) throw new Error(`a directory's name has a line feed: ${root}`);
    const ended = () => (this.#shell = undefined); // the next one is asked of a new one
    this.#shell ??= startShell(this.#command, ended);
    const line = await this.#shell.ask(root);
    const [, code, told = ''] = /^(\d+) (.*)$/.exec(line) ?? [];
    if (code === undefined) throw new Error(`what syncs has not said how that ended: ${line}`);
    return { code: Number(code), told };
  }
}

interface Shell {
  /** The line that comes in answer to one; one at a time. */
  ask(line: string): Promise<string>;
}

function startShell(command: string, ended: () => void): Shell {
  const child = spawn('/bin/sh', ['-c', script, command], {
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let waiting: PromiseWithResolvers<string> | undefined;
  const end = (error: Error) => {
    ended();
    waiting?.reject(error);
  };
  child.on('error', end);
  child.on('close', (code, signal) => end(new Error(`what syncs has ended: ${code ?? signal}`)));
  child.stdin.on('error', end);
  createInterface({ input: child.stdout }).on('line', (line) => waiting?.resolve(line));
  const handles = [child, ...[child.stdin, child.stdout].filter((pipe) => pipe instanceof Socket)];
  return {
    async ask(line) {
      waiting = Promise.withResolvers();
      for (const handle of handles) handle.ref();
      try {
        child.stdin.write(`${line}\n`);
        return await waiting.promise;
      } finally {
        for (const handle of handles) handle.unref(); // our process ends without waiting for it
      }
    },
  };
}
