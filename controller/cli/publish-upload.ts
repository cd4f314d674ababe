import { createReadStream } from 'node:fs';
import type { Received } from '../../reconcilers/repository/receipts.ts';
import type { ApiClient, Target } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { formatBytes } from './bytes.ts';
import { CliError, exit, type Io } from './command.ts';
import type { LocalFile } from './publish-files.ts';

type RepositoryName = Pick<Target, 'namespace' | 'name'>;

/** Sent side by side. */
const mostAtOnce = 4;

/**
 * Brings files to the server, for a Repository, also those that it has already: it believes nobody
 * who only knows what a file is called. Gives them with their receipts. Throws `CliError`.
 */
export async function sendFiles(
  client: ApiClient,
  files: readonly LocalFile[],
  repository: RepositoryName,
  io: Io,
): Promise<readonly Received<LocalFile>[]> {
  const waiting = [...new Map(files.map((file) => [file.sha256, file])).values()];
  const receipts = new Map<string, string>();
  const lane = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      io.progress(`sending ${file.name}, ${formatBytes(file.size)}`);
      receipts.set(file.sha256, await send(client, file, repository));
    }
  };
  await Promise.all(Array.from({ length: mostAtOnce }, lane));
  io.progress('');
  return files.map((file) => ({ ...file, receipt: receipts.get(file.sha256) ?? '' }));
}

async function send(
  client: ApiClient,
  { sha256, size, path }: LocalFile,
  repository: RepositoryName,
): Promise<string> {
  try {
    return await client.putBlob({ sha256, size }, repository, () => createReadStream(path));
  } catch (thrown) {
    if (!(thrown instanceof ApiError && notCairn.has(thrown.code))) throw thrown;
    const advice = 'name the server of Cairn itself with --server or CAIRN_SERVER';
    throw new CliError(`${client.server.origin} takes no files: ${advice}`, exit.failed, {
      cause: thrown,
    });
  }
}

/** What an API server says that knows nothing of files; 0: something else altogether. */
const notCairn: ReadonlySet<number> = new Set([0, 404, 405]);
