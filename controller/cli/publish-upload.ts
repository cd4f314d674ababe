import { createReadStream } from 'node:fs';
import type { ApiClient } from './api-client.ts';
import { ApiError } from './api-error.ts';
import { formatBytes } from './bytes.ts';
import { CliError, exit, type Io } from './command.ts';
import type { LocalFile } from './publish-files.ts';

/** Sent side by side. */
const mostAtOnce = 4;

/** Brings files to the server, those that it doesn't have already. Throws `CliError`. */
export async function sendFiles(
  client: ApiClient,
  files: readonly LocalFile[],
  io: Io,
): Promise<void> {
  const waiting = [...new Map(files.map((file) => [file.sha256, file])).values()];
  const lane = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) await send(client, file, io);
  };
  await Promise.all(Array.from({ length: mostAtOnce }, lane));
  io.progress('');
}

async function send(client: ApiClient, file: LocalFile, io: Io): Promise<void> {
  const { sha256, size, name } = file;
  if (await client.hasBlob(sha256)) return;
  io.progress(`sending ${name}, ${formatBytes(size)}`);
  try {
    await client.putBlob({ sha256, size }, () => createReadStream(file.path));
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
