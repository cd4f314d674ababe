/** Certificates for TLS at both ends, by openssl, as Docker's documentation makes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun } from './process.ts';
import { tempDir, type Scope } from './temp.ts';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority, with a certificate for a server at 127.0.0.1, and one for a client; all PEM. */
export interface Authority {
  readonly folder: string;
  readonly ca: string;
  readonly server: Certificate;
  readonly client: Certificate;
}

export async function makeAuthority(scope: Scope): Promise<Authority> {
  const folder = tempDir(scope);
  const at = (name: string) => path.join(folder, name);
  const openssl = (...args: readonly string[]) => mustRun('openssl', args, { cwd: folder });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const own = ['-keyout', 'ca-key.pem', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test'];
  await openssl('req', '-x509', ...newKey, ...own);
  const sign = async (name: string, extensions: string): Promise<Certificate> => {
    writeFileSync(at(`${name}.ext`), extensions);
    const request = ['-keyout', `${name}-key.pem`, '-out', `${name}.csr`, '-subj', `/CN=${name}`];
    await openssl('req', ...newKey, ...request);
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2'];
    const made = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    await openssl('x509', '-req', ...by, ...made);
    const text = (file: string) => readFileSync(at(file), 'utf8');
    return { cert: text(`${name}.pem`), key: text(`${name}-key.pem`) };
  };
  const server = await sign('server', 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n');
  const client = await sign('client', 'extendedKeyUsage=clientAuth\n');
  return { folder, ca: readFileSync(at('ca.pem'), 'utf8'), server, client };
}
