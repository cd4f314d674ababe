import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { TlsFiles } from '../builders/docker/connect.ts';

/** The names that the docker command and its contexts have for them, and those of Secrets of type kubernetes.io/tls. */
const names = [
  { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' },
  { ca: 'ca.crt', cert: 'tls.crt', key: 'tls.key' },
] as const;

/**
 * The certificates with which an engine is talked to, which are in a folder. Each call reads them anew, so that renewed ones count. Throws
 * an Error that names the folder when they are not there, or don't fit together.
 */
export function engineCertificates(folder: string): TlsFiles {
  const found = names.map((one) => filesOf(folder, one)).find((files) => files !== undefined);
  if (!found) {
    const wanted = names.map((one) => Object.values(one).join(', ')).join('; or ');
    throw new Error(`the certificates for Docker can't be read: expected in ${folder} ${wanted}`);
  }
  try {
    createSecureContext(found);
  } catch (error) {
    throw new Error(`the certificates for Docker in ${folder} are no good: ${String(error)}`, {
      cause: error,
    });
  }
  return found;
}

function filesOf(folder: string, files: (typeof names)[number]): TlsFiles | undefined {
  const text = (name: string) => readFileSync(join(folder, name), 'utf8');
  try {
    return { ca: text(files.ca), cert: text(files.cert), key: text(files.key) };
  } catch {
    return undefined;
  }
}
