import { createHmac, timingSafeEqual } from 'node:crypto';
import { CairnError } from '../../crds/reasons.ts';
import type { UploadFile } from '../../crds/upload.ts';
import type { OwnSecrets } from '../signing/key-store.ts';

/** For what a receipt is good: one file, in one Repository. */
export interface ReceiptOf {
  readonly namespace: string;
  readonly repository: string;
  readonly sha256: string;
}

/** A file as a receipt is given for it. */
export type Received<File> = File & { readonly receipt: string };

/**
 * Receipts say that somebody who may publish has sent the bytes of a file, and for which Repository.
 * The depot also has what others may not read, such as private mirrors: to know a digest must not be
 * enough to have such a file published. Objects can be read by many, so a receipt that one finds in
 * an Upload is of no use for any other Repository. It holds for ever: it is as good as the bytes.
 */
export class Receipts {
  readonly #secrets: OwnSecrets;

  constructor(secrets: OwnSecrets) {
    this.#secrets = secrets;
  }

  /** What all receipts of this Cairn are made with. Throws when those who keep it are away. */
  secret(): Promise<string> {
    return this.#secrets.ownSecret('receipts');
  }

  async give(of: ReceiptOf): Promise<string> {
    return receiptFor(of, await this.secret());
  }
}

/** The HMAC-SHA256 (RFC 2104) of what it is for, in base64url. */
export function receiptFor({ namespace, repository, sha256 }: ReceiptOf, secret: string): string {
  const text = ['cairn upload 1', namespace, repository, sha256].join('\n');
  return createHmac('sha256', secret).update(text).digest('base64url');
}

/** Throws `ReceiptInvalid` for the first file whose bytes nobody has sent for this Repository. */
export function checkReceipts(
  files: readonly UploadFile[],
  of: Omit<ReceiptOf, 'sha256'>,
  secret: string,
): void {
  for (const { name, sha256, receipt } of files) {
    if (receipt === undefined) {
      throw invalid(
        `${name} has no receipt: PUT /api/v1/blobs/${sha256}?repository=${of.repository} takes the ` +
          'file and answers with one, which goes beside its name',
      );
    }
    const good = receiptFor({ ...of, sha256 }, secret);
    if (!isSame(receipt, good)) {
      throw invalid(
        `the receipt of ${name} is none for this file and Repository ${of.repository}: send the file again`,
      );
    }
  }
}

function isSame(given: string, good: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(good)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function invalid(message: string): CairnError {
  return new CairnError('ReceiptInvalid', message);
}
