import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

const lifetimeMs = 10 * 365 * 24 * 3600 * 1000;

/** Object identifiers, as DER without tag and length. */
const ids = {
  commonName: [0x55, 0x04, 0x03],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
} as const;

/**
 * A certificate for some host names and addresses that signs itself (X.509 v3, RFC 5280), with a new
 * P-256 key. Whoever trusts it names it as its own authority: that is what a kubeconfig does.
 */
export function selfSigned(hosts: readonly string[], now: Date): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = toBeSigned(hosts, now, publicKey);
  const signature = sign('sha256', body, privateKey);
  const certificate = sequence(body, algorithm(), bitString(signature));
  return {
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function toBeSigned(hosts: readonly string[], now: Date, publicKey: KeyObject): Buffer {
  const name = sequence(set(sequence(oid(ids.commonName), der(0x0c, Buffer.from('cairn')))));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40; // positive, and as long as it is
  const validity = sequence(time(now), time(new Date(now.getTime() + lifetimeMs)));
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, serial),
    algorithm(),
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(hosts))),
  );
}

function extensions(hosts: readonly string[]): readonly Buffer[] {
  const isAuthority = sequence(der(0x01, Buffer.from([0xff])));
  const critical = der(0x01, Buffer.from([0xff]));
  return [
    sequence(oid(ids.basicConstraints), critical, der(0x04, isAuthority)),
    sequence(oid(ids.extendedKeyUsage), der(0x04, sequence(oid(ids.serverAuth)))),
    sequence(oid(ids.subjectAltName), der(0x04, sequence(...hosts.map(alternative)))),
  ];
}

/** An address as iPAddress, anything else as dNSName. */
function alternative(host: string): Buffer {
  if (isIP(host) === 0) return der(0x82, Buffer.from(host, 'latin1'));
  return der(0x87, isIP(host) === 4 ? Buffer.from(host.split('.').map(Number)) : ipv6(host));
}

function ipv6(host: string): Buffer {
  const [head = '', tail] = host.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const missing = 8 - groups(head).length - groups(tail).length;
  const zeros = Array.from({ length: tail === undefined ? 0 : missing }, () => '0');
  const all = [...groups(head), ...zeros, ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function algorithm(): Buffer {
  return sequence(oid(ids.ecdsaWithSha256));
}

/** UTCTime until 2049, GeneralizedTime after that. */
function time(date: Date): Buffer {
  const text = date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  const isShort = date.getUTCFullYear() < 2050;
  return der(isShort ? 0x17 : 0x18, Buffer.from(isShort ? text.slice(2) : text, 'latin1'));
}

function oid(id: readonly number[]): Buffer {
  return der(0x06, Buffer.from(id));
}

function bitString(bytes: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return der(0x31, Buffer.concat(parts));
}

/** Tag, length, content. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const digits = length < 128 ? '' : length.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const head = length < 128 ? [tag, length] : [tag, 0x80 + bytes.length, ...bytes];
  return Buffer.concat([Buffer.from(head), content]);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
