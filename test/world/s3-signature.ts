/** AWS Signature Version 4, as the tests need it: of a request, and in the query of a URL. */
import { createHash, createHmac } from 'node:crypto';

export interface S3Keys {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Unsigned {
  readonly method: string;
  /** As it goes over the wire: path and query are percent-encoded. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hexadecimal digits, or one of the words of S3 for none. */
  readonly payload: string;
  readonly date?: Date;
}

const algorithm = 'AWS4-HMAC-SHA256';

/** The headers to send, `authorization` among them. */
export function signedHeaders(keys: S3Keys, unsigned: Unsigned): Record<string, string> {
  const { url, payload, date = new Date() } = unsigned;
  const time = timeOf(date);
  const headers: Record<string, string> = { 'x-amz-date': time, 'x-amz-content-sha256': payload };
  for (const [name, value] of Object.entries(unsigned.headers ?? {})) {
    headers[name.toLowerCase()] = value;
  }
  const all = { ...headers, host: url.host };
  const signature = sign(keys, { ...unsigned, headers: all }, time);
  const credential = `Credential=${keys.accessKeyId}/${scopeOf(keys, time)}`;
  const names = `SignedHeaders=${namesOf(all)}`;
  return {
    ...headers,
    authorization: `${algorithm} ${credential}, ${names}, Signature=${signature}`,
  };
}

/** The same URL, for whoever has it, for so many seconds. */
export function presigned(
  keys: S3Keys,
  method: string,
  plain: URL,
  { seconds, date = new Date() }: { readonly seconds: number; readonly date?: Date },
): string {
  const time = timeOf(date);
  const url = new URL(plain);
  url.searchParams.set('X-Amz-Algorithm', algorithm);
  url.searchParams.set('X-Amz-Credential', `${keys.accessKeyId}/${scopeOf(keys, time)}`);
  url.searchParams.set('X-Amz-Date', time);
  url.searchParams.set('X-Amz-Expires', String(seconds));
  url.searchParams.set('X-Amz-SignedHeaders', 'host');
  const headers = { host: url.host };
  const signature = sign(keys, { method, url, headers, payload: 'UNSIGNED-PAYLOAD' }, time);
  url.searchParams.set('X-Amz-Signature', signature);
  return url.href;
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as S3 does. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function sha256(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

type Signing = Unsigned & { readonly headers: Readonly<Record<string, string>> };

function sign(keys: S3Keys, { method, url, headers, payload }: Signing, time: string): string {
  const query = byName([...url.searchParams].map(([name, value]) => [encode(name), encode(value)]));
  const lines = byName(Object.entries(headers)).map(([name, value]) => `${name}:${value.trim()}\n`);
  const canonical = [
    method,
    url.pathname,
    query.map(([name, value]) => `${name}=${value}`).join('&'),
    lines.join(''),
    namesOf(headers),
    payload,
  ].join('\n');
  const text = [algorithm, time, scopeOf(keys, time), sha256(canonical)].join('\n');
  const steps = [...scopeOf(keys, time).split('/'), text];
  const first = Buffer.from(`AWS4${keys.secretAccessKey}`);
  return steps.reduce<Buffer>(hmac, first).toString('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function byName(pairs: readonly [string, string][]): [string, string][] {
  return pairs.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
}

function namesOf(headers: Readonly<Record<string, string>>): string {
  return Object.keys(headers).toSorted().join(';');
}

function scopeOf({ region }: S3Keys, time: string): string {
  return `${time.slice(0, 8)}/${region}/s3/aws4_request`;
}

/** Such as `20260131T235959Z`. */
function timeOf(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}
