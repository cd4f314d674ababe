import { createReadStream } from 'node:fs';
import { open, stat, truncate, type FileHandle } from 'node:fs/promises';
import type { Blob, BlobWriter } from '../../depot/depot.ts';

/** The end of a log, as conditions show it. */
const mostEndBytes = 2 ** 20;
const mostEndLines = 30;
const mostEndLength = 2800;

/** Where a Build's log grows. Writes come one after the other. */
export class BuildLog {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #mostBytes: number;
  #size: number;
  #last: Promise<void> = Promise.resolve();

  private constructor(file: string, handle: FileHandle, size: number, mostBytes: number) {
    this.#file = file;
    this.#handle = handle;
    this.#size = size;
    this.#mostBytes = mostBytes;
  }

  /** Goes on with a log after its first `keep` bytes, or after all of it. */
  static async open(
    file: string,
    { keep, mostBytes }: { keep: number | undefined; mostBytes: number },
  ): Promise<BuildLog> {
    const handle = await open(file, 'a', 0o600);
    if (keep !== undefined) await truncate(file, keep);
    const { size } = await handle.stat();
    return new BuildLog(file, handle, size, mostBytes);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds bytes; what is beyond the limit is dropped. */
  write(bytes: Buffer): Promise<void> {
    const taken = bytes.subarray(0, Math.max(this.#mostBytes - this.#size, 0));
    this.#size += taken.length;
    this.#last = this.#last.then(async () => void (await this.#handle.appendFile(taken)));
    return this.#last;
  }

  say(line: string): Promise<void> {
    return this.write(Buffer.from(`cairn: ${line}\n`));
  }

  /** Its first bytes, which don't change any more. */
  async head(bytes: number): Promise<Buffer> {
    await this.#last;
    return Buffer.concat(await Array.fromAsync(createReadStream(this.#file, { end: bytes - 1 })));
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#handle.close();
  }

  /** All of it, for whoever keeps it. */
  async content(): Promise<AsyncIterable<Buffer>> {
    await this.#last;
    return createReadStream(this.#file) as AsyncIterable<Buffer>;
  }
}

/** Stores what there is of a log, with a last line; undefined when there is none. It is durable when this returns. */
export async function storeLog(
  file: string,
  blobs: Pick<BlobWriter, 'write' | 'sync'>,
  lastLine: string,
): Promise<Blob | undefined> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  const log = await BuildLog.open(file, { keep: undefined, mostBytes: Infinity });
  try {
    await log.say(lastLine);
    const { sha256, size } = await blobs.write(await log.content());
    await blobs.sync();
    return { sha256, size };
  } finally {
    await log.close();
  }
}

/**
 * The last lines of a log, without what terminals act on, and without the files that dh_auto_configure(1) shows when
 * it fails: thousands of lines after the one that tells why.
 */
export async function endOfLog(file: string): Promise<string> {
  const { size } = await stat(file);
  await using handle = await open(file, 'r');
  const from = Math.max(size - mostEndBytes, 0);
  const buffer = Buffer.alloc(size - from);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
  const lines = buffer
    .subarray(0, bytesRead)
    .toString('utf8')
    .replace(/\r+\n/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
    .trimEnd()
    .split('\n');
  return withoutDumps(lines).slice(-mostEndLines).join('\n').slice(-mostEndLength);
}

/** The command that shows a file, and the line after it. */
const dumpStart = /^\t.*\btail -v -n \\?\+0 /;
const dumpEnd = /^dh_auto_\w+: error: /;
const mostErrorLength = 200;

function withoutDumps(lines: readonly string[]): readonly string[] {
  const end = lines.findLastIndex((line) => dumpEnd.test(line));
  const start = lines.findLastIndex((line, at) => at < end && dumpStart.test(line));
  if (start === -1) return lines;
  // It repeats the whole command.
  const error = (lines[end] ?? '').slice(0, mostErrorLength);
  return [...lines.slice(0, start), error, ...lines.slice(end + 1)];
}
