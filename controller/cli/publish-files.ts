import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { CairnError } from '../../crds/reasons.ts';
import { mostUploadFiles, type UploadFile } from '../../crds/upload.ts';
import { CliError, exit, type Io } from './command.ts';

/** A file of this machine, as an Upload names it. */
export interface LocalFile extends UploadFile {
  readonly path: string;
}

/**
 * The files that are named, with all that a .changes among them lists, which lie beside it. Throws
 * `CliError`.
 */
export async function filesToPublish(
  names: readonly string[],
  io: Io,
): Promise<readonly LocalFile[]> {
  const paths = names.map((name) => path.resolve(io.cwd, name));
  const listed = await Promise.all(
    paths.filter((file) => file.endsWith('.changes')).map((file) => listedIn(file)),
  );
  const all = [...new Set([...paths, ...listed.flat()])];
  if (all.length > mostUploadFiles) {
    throw new CliError(`${all.length} files are more than the ${mostUploadFiles} at a time`);
  }
  const files: LocalFile[] = [];
  for (const file of all) {
    io.progress(`reading ${path.basename(file)}`);
    files.push(await described(file));
  }
  io.progress('');
  return files;
}

async function listedIn(changes: string): Promise<readonly string[]> {
  // It brings OpenPGP along, which takes its time.
  const { readChanges } = await import('../../apt/upload.ts');
  const folder = path.dirname(changes);
  const name = path.basename(changes);
  const bytes = await guarded(changes, () => readFile(changes));
  try {
    const { files } = await readChanges(bytes, { name });
    return files.map((file) => path.join(folder, file.name));
  } catch (thrown) {
    if (!(thrown instanceof CairnError)) throw thrown;
    throw new CliError(thrown.message, exit.failed, { cause: thrown });
  }
}

async function described(file: string): Promise<LocalFile> {
  return guarded(file, async () => {
    if (!(await stat(file)).isFile()) throw new CliError(`${file} is no file`);
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
    return { path: file, name: path.basename(file), sha256: hash.digest('hex'), size };
  });
}

async function guarded<Result>(file: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof CliError) throw thrown;
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
    throw new CliError(`can't read ${file}: ${code}`, exit.failed, { cause: thrown });
  }
}
