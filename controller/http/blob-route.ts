import type { IncomingMessage } from 'node:http';
import express, { type Request, type Router } from 'express';
import { defaultDebLimits } from '../../apt/deb.ts';
import { UploadKind } from '../../crds/upload.ts';
import type { Blob, BlobWriter } from '../../depot/depot.ts';
import type { ReceiptOf } from '../../reconcilers/repository/receipts.ts';
import { ApiFailure } from './api/status.ts';
import { checkMayDo, type WriteRules } from './api/write-rules.ts';

export type UploadBlobs = Pick<BlobWriter, 'write' | 'sync'>;
export type GiveReceipt = (of: ReceiptOf) => Promise<string>;

export interface BlobRouteOptions {
  readonly blobs: UploadBlobs;
  readonly giveReceipt: GiveReceipt;
  readonly rules: WriteRules;
  /** The one that is meant when none is named. */
  readonly namespace: string;
}

const path = '/api/v1/blobs';
/** The largest package that is read. */
const maxBytes = defaultDebLimits.maxBytes;

/**
 * `PUT /api/v1/blobs/<sha256>?repository=NAME[&namespace=NAMESPACE]` takes a file that is about to be
 * published into that Repository, and answers with a receipt for it: see `receipts.ts`. For those who
 * may create Uploads. What is answered with success is durable: it is named by its digest, and nothing
 * refers to it yet. Nobody is told what is in the depot: they would learn of what they may not read.
 */
export function blobRoute({ blobs, giveReceipt, rules, namespace }: BlobRouteOptions): Router {
  const router = express.Router();
  router.put(`${path}/:sha256`, async (req, res) => {
    const home = nameIn(req, 'namespace') ?? namespace;
    checkMayDo(req, rules, { verb: 'create', plural: UploadKind.plural, namespace: home });
    const blob = { sha256: digestOf(req), size: lengthOf(req) };
    const repository = nameIn(req, 'repository');
    if (repository === undefined) {
      throw new ApiFailure(400, 'expected ?repository=NAME: the Repository that the file is for');
    }
    // First: those who keep the secret may be away, and the file may be large.
    const receipt = await giveReceipt({ namespace: home, repository, sha256: blob.sha256 });
    if (req.headers.expect !== undefined) res.writeContinue();
    await store(req, blobs, blob);
    await blobs.sync();
    res.status(201).json({ ...blob, receipt });
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

/** A parameter of the query that names an object or a namespace. */
function nameIn({ query }: Request, parameter: string): string | undefined {
  const { [parameter]: name } = query;
  if (name === undefined) return undefined;
  if (
    typeof name === 'string' &&
    name.length <= 253 &&
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)
  ) {
    return name;
  }
  throw new ApiFailure(400, `${parameter}: expected the name of one`);
}

function lengthOf({ headers }: Request): number {
  const text = headers['content-length'] ?? '';
  if (!/^[0-9]{1,15}$/.test(text)) throw new ApiFailure(400, 'expected a Content-Length');
  if (Number(text) <= maxBytes) return Number(text);
  throw new ApiFailure(413, `a file of ${text} bytes is larger than the ${maxBytes} allowed`);
}

async function store(req: Request, blobs: UploadBlobs, blob: Blob): Promise<void> {
  try {
    await blobs.write(req, blob);
  } catch (error) {
    if (req.readableAborted) throw new ApiFailure(400, 'the upload broke off');
    throw error;
  }
}
