import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { replaceDurably } from '../../depot/durable.ts';

export interface Lock {
  /** Adds the address that this process serves to what the next one is told. */
  announce(listen: string): void;
  /** Gives the directory free. Doing nothing more is as good: a process that ends has let go. */
  release(): void;
}

interface Owner {
  readonly pid: number;
  readonly startedAt: string;
  readonly listen?: string;
}

/**
 * Takes a data directory for this process, making it when it isn't there. Throws an Error that
 * names the holder when another process has it. The lock is one of the operating system's on
 * `lock.db`, so it ends with its process, however that dies; `owner.json` is only there to be told.
 * Nothing else may open `lock.db`: closing any other descriptor of it would drop a POSIX lock.
 */
export function lockDataDirectory(directory: string, now: () => Date = () => new Date()): Lock {
  mkdirSync(directory, { recursive: true });
  const held = new DatabaseSync(path.join(directory, 'lock.db'), { timeout: 0 });
  const ownerFile = path.join(directory, 'owner.json');
  try {
    held.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    held.close();
    throw new Error(refusal(directory, ownerFile, error), { cause: error });
  }
  let owner: Owner = { pid: process.pid, startedAt: now().toISOString() };
  writeOwner(ownerFile, owner);

  return {
    announce(listen) {
      owner = { ...owner, listen };
      writeOwner(ownerFile, owner);
    },
    release() {
      if (!held.isOpen) return;
      rmSync(ownerFile, { force: true });
      held.close();
    },
  };
}

function refusal(directory: string, ownerFile: string, error: unknown): string {
  const isTaken = error instanceof Error && 'errcode' in error && error.errcode === 5; // SQLITE_BUSY
  if (!isTaken) return `cannot lock ${directory}: ${String(error)}`;
  const who = `another Cairn${describe(readOwner(ownerFile))}`;
  return `${who} is using ${directory}; stop it, or give this one another --data`;
}

function describe(owner: Partial<Owner> | undefined): string {
  if (owner?.pid === undefined) return '';
  const listen = owner.listen === undefined ? '' : `, at ${owner.listen}`;
  return ` (pid ${owner.pid}, started ${owner.startedAt ?? 'earlier'}${listen})`;
}

/** The file may be absent or of an owner before: the message is then only less helpful. */
function readOwner(ownerFile: string): Partial<Owner> | undefined {
  try {
    return JSON.parse(readFileSync(ownerFile, 'utf8')) as Partial<Owner>;
  } catch {
    return undefined;
  }
}

/** Others may read it: it is what they are told. */
function writeOwner(file: string, owner: Owner): void {
  replaceDurably(file, `${JSON.stringify(owner)}\n`, 0o644);
}
