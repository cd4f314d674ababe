import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseDeb822Sources, parseSourcesList, type AptSource } from '../../apt/sources-list.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { Io } from './command.ts';
import { runProgram } from './program.ts';

/** What a machine's apt is set up with. */
export interface AptMachine {
  /** Its /etc/apt. */
  readonly directory: string;
  /** Every entry that is enabled. */
  readonly sources: readonly AptSource[];
  /** Its own one first. */
  readonly architectures: readonly string[];
}

/** Reads /etc/apt, or another directory like it. What can't be read is warned of and left out. */
export async function readMachine(directory: string, io: Io): Promise<AptMachine> {
  const sources: AptSource[] = [];
  for (const file of await sourceFiles(directory)) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) {
      if (!file.endsWith('/sources.list')) io.err(`warning: ${file} can't be read`);
      continue;
    }
    const parse = file.endsWith('.sources') ? parseDeb822Sources : parseSourcesList;
    const cut = file.endsWith('.sources') ? /\n[ \t\r]*\n/ : /\n/;
    sources.push(...parsePieces(text, file, cut, parse, io));
  }
  const enabled = sources.filter((source) => source.enabled);
  return { directory, sources: enabled, architectures: await machineArchitectures(io) };
}

/** As apt does: names of letters, digits, `_`, `-` and `.` with either ending, in order. */
async function sourceFiles(directory: string): Promise<readonly string[]> {
  const parts = path.join(directory, 'sources.list.d');
  const names = await readdir(parts).catch((): string[] => []);
  const good = names.filter((name) => /^[A-Za-z0-9_.-]+\.(list|sources)$/.test(name)).sort();
  return [path.join(directory, 'sources.list'), ...good.map((name) => path.join(parts, name))];
}

type Parse = (text: string, file: string) => readonly AptSource[];

/** Entry by entry, so that a bad one takes no other with it; empty lines keep the numbers right. */
function parsePieces(
  text: string,
  file: string,
  cut: RegExp,
  parse: Parse,
  io: Io,
): readonly AptSource[] {
  const found: AptSource[] = [];
  let line = 0;
  for (const piece of text.replaceAll('\r\n', '\n').split(new RegExp(`(${cut.source})`))) {
    try {
      if (piece.trim() !== '') found.push(...parse('\n'.repeat(line) + piece, file));
    } catch (thrown) {
      if (!(thrown instanceof CairnError)) throw thrown;
      io.err(`warning: ${thrown.message}; left out`);
    }
    line += piece.split('\n').length - 1;
  }
  return found;
}

const nodeArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'i386' };

async function machineArchitectures(io: Io): Promise<readonly string[]> {
  try {
    const own = await runProgram('dpkg', ['--print-architecture'], io);
    const foreign = await runProgram('dpkg', ['--print-foreign-architectures'], io);
    return `${own} ${foreign}`.split(/\s+/).filter((word) => word !== '');
  } catch {
    io.signal.throwIfAborted();
    const { arch } = await import('node:os');
    return [nodeArchitectures[arch()] ?? arch()];
  }
}
