/** A real S3 server, versitygw, on a folder of its own: its objects are plain files there. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon, type Daemon } from './daemon.ts';
import { freePort } from './port.ts';
import { encode, presigned, sha256, signedHeaders, type S3Keys } from './s3-signature.ts';
import type { Scope } from './temp.ts';

/** What `scripts/setup-s3` has built. */
const program = path.resolve(import.meta.dirname, '../../.cache/s3/versitygw');

/**
 * Options of a `describe` that needs an S3 server. Where none can be built its tests are skipped;
 * that is told, and with CI=true it is a failure.
 */
export const needsS3: { readonly skip: string | false } = {
  skip: !isProgram(program) && 'no S3 server; scripts/setup-s3 says why',
};

export interface S3Address {
  readonly query?: Readonly<Record<string, string>>;
  /** Such as a proxy's; else the server's own. */
  readonly endpoint?: string;
}

export interface S3Request extends S3Address {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Instead of those that are right. */
  readonly keys?: Partial<S3Keys>;
  /** When it was signed; now by default. */
  readonly date?: Date;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The `<Code>` of an error; '' if there is none. */
  readonly code: string;
}

const startTimeoutMs = 30_000;
const attempts = 5;
const bucket = 'cairn';

export class S3 {
  /** An empty one, made at the start. Its name goes into the path, not into the host. */
  readonly bucket = bucket;
  readonly keys: S3Keys = {
    region: 'eu-central-1',
    accessKeyId: randomBytes(10).toString('hex'),
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'cairn-s3-'));
  #port = 0;
  #server: Daemon | undefined;

  /** Without a slash at the end. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#server?.pid ?? 0;
  }

  /** Starts the server on a free port, and makes the bucket. */
  async start(): Promise<void> {
    for (const name of ['objects', 'accounts']) mkdirSync(path.join(this.#folder, name));
    for (let attempt = 1; this.#server === undefined; attempt += 1) {
      this.#port = await freePort();
      await this.restart().catch((error: unknown) => {
        // somebody else may take a free port before the server does
        const isTaken = error instanceof Error && error.message.includes('address already in use');
        if (!isTaken || attempt === attempts) throw error;
      });
    }
    const made = await this.request('PUT', '');
    if (made.status !== 200) throw new Error(`no bucket: ${made.status} ${made.text}`);
  }

  /** Ends the server at once, as a crash would. What was stored stays. */
  async kill(): Promise<void> {
    await this.#server?.end();
    this.#server = undefined;
  }

  /**
   * Starts the server again, after a crash or out of full swing: same endpoint, same objects.
   * With `readOnly` it answers whatever would change something with 403 AccessDenied.
   */
  async restart({ readOnly = false } = {}): Promise<void> {
    await this.kill();
    const { accessKeyId, secretAccessKey, region } = this.keys;
    const objects = path.join(this.#folder, 'objects');
    const flags = [
      ...[`--port=127.0.0.1:${this.#port}`, `--region=${region}`, '--keep-alive', '--quiet'],
      // without accounts of its own, it answers an unknown access key with 404
      `--iam-dir=${path.join(this.#folder, 'accounts')}`,
      ...(readOnly ? ['--readonly'] : []),
    ];
    const env = { ROOT_ACCESS_KEY_ID: accessKeyId, ROOT_SECRET_ACCESS_KEY: secretAccessKey };
    const server = startDaemon(program, [...flags, 'posix', objects], this.#folder, env);
    this.#server = server;
    const deadline = Date.now() + startTimeoutMs;
    while (!(await this.#answers())) {
      if (!server.hasEnded && Date.now() < deadline) await sleep(20);
      else {
        await this.kill();
        throw new Error(`the S3 server did not start:\n${server.output}`);
      }
    }
  }

  /** Ends it all; so does the end of the scope. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The file that holds an object: what is written there is served, with the checksums of before. */
  fileOf(key: string): string {
    return path.join(this.#folder, 'objects', bucket, key);
  }

  /** The address of an object; of the bucket, if the key is ''. */
  urlOf(key: string, { endpoint = this.endpoint, query = {} }: S3Address = {}): URL {
    const segments = key === '' ? [bucket] : [bucket, ...key.split('/')];
    const url = new URL(`${endpoint}/${segments.map(encode).join('/')}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  /** Sends one signed request for an object; for the bucket, if the key is ''. */
  async request(method: string, key: string, request: S3Request = {}): Promise<S3Answer> {
    const { body = '', headers = {}, date = new Date() } = request;
    const url = this.urlOf(key, request);
    const keys = { ...this.keys, ...request.keys };
    const payload = sha256(body);
    const answer = await fetch(url, {
      method,
      headers: signedHeaders(keys, { method, url, headers, payload, date }),
      body: method === 'GET' || method === 'HEAD' ? null : Buffer.from(body),
    });
    const text = await answer.text();
    const [, code = ''] = /<Error>.*<Code>(\w+)<\/Code>/s.exec(text) ?? [];
    return { status: answer.status, headers: answer.headers, text, code };
  }

  /** A URL by which anybody may get the object, from `date` on. */
  presign(
    key: string,
    options: S3Address & { readonly seconds: number; readonly date?: Date },
  ): string {
    return presigned(this.keys, 'GET', this.urlOf(key, options), options);
  }

  async #answers(): Promise<boolean> {
    const answer = await this.request('HEAD', '').catch(() => undefined);
    return answer?.status === 200 || answer?.status === 404;
  }
}

/** Starts one, in some tenths of a second, for a `describe` that says `needsS3`. */
export async function startS3(scope: Scope): Promise<S3> {
  const s3 = new S3();
  scope.after(() => s3.stop());
  await s3.start();
  return s3;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
