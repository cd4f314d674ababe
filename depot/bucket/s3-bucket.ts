import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  ListMultipartUploadsCommand,
  UploadPartCommand,
  paginateListObjectsV2,
  type CompletedPart,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { CairnError } from '../../crds/reasons.ts';
import type { Blob } from '../depot.ts';
import { blobMissing } from '../failures.ts';
import { Budget } from './budget.ts';
import { isBusy, isMissing, isThere, isUnknown, unavailable } from './failures.ts';
import { bucketUrl, type BucketLocation } from './location.ts';
import { readPart, sha256Base64 } from './parts.ts';

export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

/** An object that is being read. */
export interface Reading {
  /** Of the whole object. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Up to this size an object is sent at once; from there in parts of at least this size. */
const partBytes = 8 * 1024 * 1024;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const mostParts = 10_000;
const partsAtOnce = 4;
const attempts = 4;
const timeouts = { connectionTimeout: 5_000, requestTimeout: 60_000, socketTimeout: 60_000 };
const socketsAtOnce = 64;
const busyMs = 200;

/**
 * Objects below one prefix of an S3 bucket. Nothing is overwritten: objects are made on the
 * condition that there is none yet. What is sent goes with its SHA-256, which the server checks.
 * Everything throws `DepotUnavailable` when the server fails or refuses.
 */
export class S3Bucket {
  readonly url: string;
  readonly #location: BucketLocation;
  readonly #client: S3Client;
  readonly #public: S3Client;
  readonly #parts = new Budget(partsAtOnce, Infinity);
  #hasConditions = true;

  constructor(location: BucketLocation) {
    this.url = bucketUrl(location);
    this.#location = location;
    const { endpoint, publicEndpoint } = location;
    this.#client = clientOf(location, endpoint);
    this.#public = publicEndpoint === undefined ? this.#client : clientOf(location, publicEndpoint);
  }

  /** The size of an object, if there is one. */
  async size(key: string): Promise<number | undefined> {
    try {
      const { ContentLength } = await this.#client.send(new HeadObjectCommand(this.#at(key)));
      return ContentLength;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw unavailable(this.url, `look at ${key}`, error);
    }
  }

  /** Begins to read an object at a byte; `BlobMissing` when there is none. */
  async read(key: string, start = 0): Promise<Reading> {
    const range = start > 0 ? { Range: `bytes=${start}-` } : {};
    try {
      const command = new GetObjectCommand({ ...this.#at(key), ...range });
      const { Body, ContentLength = 0 } = await this.#client.send(command);
      const content = Body as AsyncIterable<Uint8Array>; // a Readable, in Node
      return { size: start + ContentLength, content };
    } catch (error) {
      if (isMissing(error)) throw blobMissing(key, error);
      throw unavailable(this.url, `read ${key}`, error);
    }
  }

  /** Makes an object of bytes; false when there is one already. */
  async create(key: string, content: Uint8Array): Promise<boolean> {
    const ChecksumSHA256 = sha256Base64(content);
    return this.#conditionally(key, (condition) =>
      this.#client.send(
        new PutObjectCommand({ ...this.#at(key), ...condition, Body: content, ChecksumSHA256 }),
      ),
    );
  }

  /**
   * Makes an object of a file, in parts when it is large; false when there is one already. Throws
   * `HashMismatch`, with nothing made, when the file isn't what its name says.
   */
  async createFrom(key: string, file: FileHandle, blob: Blob): Promise<boolean> {
    if (blob.size <= partBytes) {
      const content = await readPart(file, 0, blob.size);
      checkDigest(blob, createHash('sha256').update(content).digest('hex'));
      return this.create(key, content);
    }
    const target = this.#at(key);
    const { UploadId } = await this.#try(`store ${key}`, () =>
      this.#client.send(
        new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }),
      ),
    );
    const upload = { ...target, UploadId };
    try {
      const Parts = await this.#sendParts(file, blob, upload);
      return await this.#conditionally(key, (condition) =>
        this.#client.send(
          new CompleteMultipartUploadCommand({
            ...upload,
            ...condition,
            MultipartUpload: { Parts },
          }),
        ),
      );
    } finally {
      // After a success there is nothing to abort; a failure is tidied up by `abortOld` at last.
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    }
  }

  /** All objects whose keys begin so. */
  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const { name, prefix: own } = this.#location;
    try {
      const pages = paginateListObjectsV2(
        { client: this.#client },
        { Bucket: name, Prefix: own + prefix },
      );
      for await (const { Contents = [] } of pages) {
        for (const { Key = '', Size = 0, LastModified } of Contents) {
          const modified = LastModified?.getTime() ?? 0;
          yield { key: Key.slice(own.length), size: Size, modified };
        }
      }
    } catch (error) {
      throw unavailable(this.url, `list ${prefix}*`, error);
    }
  }

  /** Removes an object; no error when there is none. */
  async remove(key: string): Promise<void> {
    await this.#try(`remove ${key}`, () =>
      this.#client.send(new DeleteObjectCommand(this.#at(key))),
    );
  }

  /** Gives up uploads in parts that were begun before a time: somebody died over them. */
  async abortOld(before: Date): Promise<void> {
    const { name, prefix } = this.#location;
    await this.#try('tidy up uploads', async () => {
      // One page: more than that is for the next time.
      const { Uploads = [] } = await this.#client.send(
        new ListMultipartUploadsCommand({ Bucket: name, Prefix: prefix }),
      );
      for (const { Key, UploadId, Initiated } of Uploads) {
        if (Initiated === undefined || Initiated >= before) continue;
        await this.#client.send(new AbortMultipartUploadCommand({ Bucket: name, Key, UploadId }));
      }
    });
  }

  /** A URL that lets anyone read an object for so many seconds. It is a secret: never log it. */
  presigned(key: string, contentType: string, seconds: number): Promise<string> {
    const command = new GetObjectCommand({ ...this.#at(key), ResponseContentType: contentType });
    return getSignedUrl(this.#public, command, { expiresIn: seconds });
  }

  close(): void {
    this.#client.destroy();
    this.#public.destroy();
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.name, Key: this.#location.prefix + key };
  }

  /** Read one after the other, for the digest of the whole; sent several at a time. */
  async #sendParts(
    file: FileHandle,
    blob: Blob,
    upload: { Bucket: string; Key: string; UploadId: string | undefined },
  ): Promise<CompletedPart[]> {
    const size = Math.max(partBytes, Math.ceil(blob.size / mostParts));
    const digest = createHash('sha256');
    const sending: Promise<CompletedPart>[] = [];
    let isBroken = false;
    for (let at = 0, PartNumber = 1; at < blob.size && !isBroken; at += size, PartNumber += 1) {
      const part = Promise.withResolvers<void>();
      const sent = this.#parts.use(0, async () => {
        const Body = await readPart(file, at, Math.min(size, blob.size - at)).finally(part.resolve);
        digest.update(Body);
        const ChecksumSHA256 = sha256Base64(Body);
        const { ETag } = await this.#client.send(
          new UploadPartCommand({ ...upload, PartNumber, Body, ChecksumSHA256 }),
        );
        return { PartNumber, ETag, ChecksumSHA256 };
      });
      sent.catch(() => (isBroken = true)); // told below, when no part is on its way any more
      sending.push(sent);
      await part.promise;
    }
    const settled = await Promise.allSettled(sending);
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed) throw unavailable(this.url, `store ${upload.Key}`, failed.reason);
    checkDigest(blob, digest.digest('hex'));
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /** True when the object is made; false when there was one already. */
  async #conditionally(
    key: string,
    write: (condition: { IfNoneMatch?: '*' }) => Promise<unknown>,
  ): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await write(this.#hasConditions ? { IfNoneMatch: '*' } : {});
        return true;
      } catch (error) {
        if (isThere(error)) return false;
        if (isUnknown(error) && this.#hasConditions) this.#hasConditions = false;
        else if (isBusy(error) && attempt < attempts) await sleep(busyMs * attempt);
        else throw unavailable(this.url, `store ${key}`, error);
      }
    }
  }

  async #try<T>(what: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw unavailable(this.url, what, error);
    }
  }
}

/** With an endpoint of its own a bucket is a part of the path: not every server has a name for it. */
function clientOf({ region, credentials }: BucketLocation, endpoint: string | undefined): S3Client {
  return new S3Client({
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true, region: 'us-east-1' }),
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: attempts,
    // We send and check a SHA-256 of our own; not every server knows the SDK's favourite.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      ...timeouts,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: socketsAtOnce, keepAlive: true },
      httpsAgent: { maxSockets: socketsAtOnce, keepAlive: true },
    },
  });
}

function checkDigest(blob: Blob, sha256: string): void {
  if (sha256 === blob.sha256) return;
  throw new CairnError('HashMismatch', `the file of blob ${blob.sha256} has other bytes by now`);
}
