import type { IncomingMessage } from 'node:http';
import express, { type Request, type Router } from 'express';
import { defaultDebLimits } from '../../apt/deb.ts';
import { UploadKind } from '../../crds/upload.ts';
import type { BlobReader, BlobWriter } from '../../depot/depot.ts';
import { ApiFailure } from './api/status.ts';
import { checkMayDo, type WriteRules } from './api/write-rules.ts';

export type UploadBlobs = Pick<BlobReader, 'size'> & Pick<BlobWriter, 'write' | 'sync'>;

export interface BlobRouteOptions {
  readonly blobs: UploadBlobs;
  readonly rules: WriteRules;
  /** The namespace whose editors may upload. */
  readonly namespace: string;
}

const path = '/api/v1/blobs';
/** The largest package that is read. */
const maxBytes = defaultDebLimits.maxBytes;

/**
 * `PUT /api/v1/blobs/<sha256>` takes a file that is about to be published, `HEAD` tells whether it
 * is here already. For those who may create Uploads. What is answered with success is durable: it
 * is named by its digest, and nothing refers to it yet.
 */
export function blobRoute({ blobs, rules, namespace }: BlobRouteOptions): Router {
  const router = express.Router();
  const allow = (req: Request) =>
    checkMayDo(req, rules, { verb: 'create', plural: UploadKind.plural, namespace });

  router.head(`${path}/:sha256`, async (req, res) => {
    allow(req);
    const size = await blobs.size(digestOf(req));
    if (size === undefined) return void res.sendStatus(404);
    await blobs.sync();
    res.status(200).set('X-Blob-Size', String(size)).end();
  });
  router.put(`${path}/:sha256`, async (req, res) => {
    allow(req);
    const blob = { sha256: digestOf(req), size: lengthOf(req) };
    await store(req, blobs, blob);
    await blobs.sync();
    res.status(201).json(blob);
  });
  return router;
}

/** What may take as long as it moves. */
export function isBlobUpload({ method, url = '' }: IncomingMessage): boolean {
  return method === 'PUT' && url.startsWith(`${path}/`);
}

function digestOf({ params }: Request): string {
  const { sha256 } = params;
  if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw new ApiFailure(400, 'expected a SHA-256 in lower-case hex at the end of the path');
}

function lengthOf({ headers }: Request): number {
  const text = headers['content-length'] ?? '';
  if (!/^[0-9]{1,15}$/.test(text)) throw new ApiFailure(400, 'expected a Content-Length');
  if (Number(text) <= maxBytes) return Number(text);
  throw new ApiFailure(413, `a file of ${text} bytes is larger than the ${maxBytes} allowed`);
}

async function store(
  req: Request,
  blobs: UploadBlobs,
  blob: { readonly sha256: string; readonly size: number },
): Promise<void> {
  try {
    await blobs.write(req, blob);
  } catch (error) {
    if (req.readableAborted) throw new ApiFailure(400, 'the upload broke off');
    throw error;
  }
}
