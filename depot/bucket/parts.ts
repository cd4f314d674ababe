import { hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** Reads exactly so many bytes. Throws when the file is shorter. */
export async function readPart(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const part = Buffer.allocUnsafe(length);
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(part, done, length - done, at + done);
    if (bytesRead === 0) throw new Error(`a file became shorter than ${at + length} bytes`);
    done += bytesRead;
  }
  return part;
}

/** As the headers of S3 have it. */
export function sha256Base64(content: Uint8Array): string {
  return hash('sha256', content, 'base64');
}
