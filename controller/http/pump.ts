import { close, read } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { giveBack, takeBuffer } from './chunk-buffers.ts';
import { write } from './connection.ts';

export interface Range {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

const readInto = promisify(read);

/**
 * Sends a part of a file: while one buffer is on its way out, the next one is read. Closes the file
 * in any case. Rejects when it is too short, or when the client goes.
 */
export async function pumpFile(
  file: number,
  { start, end }: Range,
  res: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const held: Buffer[] = [];
  let complete = false;
  try {
    let left: Promise<void> = Promise.resolve();
    for (let position = start; position <= end;) {
      const buffer = takeBuffer();
      held.push(buffer);
      const wanted = Math.min(buffer.length, end + 1 - position);
      const { bytesRead } = await readInto(file, buffer, 0, wanted, position);
      if (bytesRead === 0) throw new Error('the file is shorter than its tree says');
      position += bytesRead;
      await left;
      for (const sent of held.splice(0, held.length - 1)) giveBack(sent, true);
      left = write(res, buffer.subarray(0, bytesRead), gone);
      left.catch(() => undefined); // awaited in the next round
    }
    await left;
    complete = true;
  } finally {
    close(file);
    for (const buffer of held) giveBack(buffer, complete);
  }
}

/** Sends a stream; destroys it when the client goes. */
export async function pumpStream(
  stream: Readable,
  res: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  for await (const bytes of stream) await write(res, bytes as Uint8Array, gone);
}
