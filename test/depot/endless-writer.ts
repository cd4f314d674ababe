/** Stores blobs of all sizes in every way, until it is killed. Says how many blobs are in. */
import { randomBytes, randomInt } from 'node:crypto';
import { openBlobs } from '../../depot/file-blobs.ts';
import { blobOf, chunks } from './blobs.contract.ts';

const blobs = await openBlobs(process.argv[2] ?? '');

for (let stored = 0; ; stored++) {
  const content = randomBytes(randomInt(400_000));
  const { sha256, size } = blobOf(content);
  if (stored % 3 === 0) blobs.put(content);
  if (stored % 3 === 1)
    await blobs.write(chunks(content.subarray(0, 1000), content.subarray(1000)));
  if (stored % 3 === 2) {
    const download = await blobs.resume(sha256, size);
    await download.write(content);
    await (stored % 2 === 0 ? download.commit() : download.close());
  }
  if (stored % 20 === 10) await blobs.sync();
  console.log(stored);
}
