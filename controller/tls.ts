import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { selfSigned, type Certificate } from './http/certificate.ts';
import { replaceDurably } from '../depot/durable.ts';

/** A certificate of ours is made anew so long before it ends. */
const margin = 30 * 24 * 3600 * 1000;

/**
 * The certificate in `<folder>/tls.crt` with the key in `tls.key`: what the operator has put there,
 * else one of our own, that signs itself; made on first use.
 */
export function ownCertificate(folder: string, host: string, now: Date): Certificate {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  if (!isGood(certFile, keyFile, now)) {
    const { cert, key } = selfSigned(hostsOf(host), now);
    replaceDurably(keyFile, key);
    replaceDurably(certFile, cert);
  }
  return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

/** The operator's own stays, whatever its age: to replace it is not for us. */
function isGood(certFile: string, keyFile: string, now: Date): boolean {
  if (!existsSync(certFile) || !existsSync(keyFile)) return false;
  const certificate = new X509Certificate(readFileSync(certFile));
  const isOurs = certificate.subject === 'CN=cairn' && certificate.issuer === 'CN=cairn';
  return !isOurs || Date.parse(certificate.validTo) - margin > now.getTime();
}

function hostsOf(host: string): readonly string[] {
  const isWord = /^[a-z0-9.:-]+$/i.test(host);
  const own = hostname().toLowerCase();
  return [...new Set(['localhost', '127.0.0.1', '::1', own, ...(isWord ? [host] : [])])];
}
