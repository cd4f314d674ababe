/** Answers one request for a file of a folder, with the faults that were asked for. */
import { readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './faults.ts';

interface FoundFile {
  readonly content: Buffer;
  readonly lastModified: string;
  readonly etag: string;
}

export async function answer(
  root: string,
  requested: string,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault,
): Promise<void> {
  request.resume();
  if (fault.delayMs !== undefined) await sleep(fault.delayMs);
  await fault.until;
  for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
  const refusal = refuse(requested, request, fault);
  if (refusal) return end(response, refusal.status, refusal.headers);
  const file = await find(root, fault.swapWith ?? requested);
  if (!file) return end(response, 404);
  return sendFile(spoil(file, fault), request, response, fault);
}

interface Refusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

function refuse(requested: string, request: IncomingMessage, fault: Fault): Refusal | undefined {
  const { requireBasicAuth: auth, redirectLoop, redirectTo, status } = fault;
  if (auth && request.headers.authorization !== basic(auth)) {
    return { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="upstream"' } };
  }
  const target = redirectLoop ? encodeURI(requested) : redirectTo;
  if (target !== undefined) return { status: 302, headers: { Location: target } };
  if (status !== undefined) return { status };
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405 };
  return undefined;
}

function basic({ user, password }: { user: string; password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function end(response: ServerResponse, status: number, headers: Refusal['headers'] = {}): void {
  const body = `${status}\n`;
  response.writeHead(status, { ...headers, 'Content-Length': body.length });
  response.end(body);
}

async function find(root: string, requested: string): Promise<FoundFile | undefined> {
  const file = path.join(root, path.posix.normalize(`/${requested}`));
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const content = await readFile(file);
  const seconds = Math.floor(found.mtimeMs / 1000);
  const lastModified = new Date(seconds * 1000).toUTCString();
  return {
    content,
    lastModified,
    etag: `"${seconds.toString(16)}-${content.length.toString(16)}"`,
  };
}

function spoil(file: FoundFile, { truncateAt, oversize = 0, corrupt = false }: Fault): FoundFile {
  let content = Buffer.from(file.content.subarray(0, truncateAt));
  if (oversize > 0) content = Buffer.concat([content, Buffer.alloc(oversize, 'x')]);
  const middle = content.length >> 1;
  if (corrupt && content.length > 0) content.writeUInt8(content.readUInt8(middle) ^ 1, middle);
  return { ...file, content };
}

async function sendFile(
  file: FoundFile,
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault,
): Promise<void> {
  if (!fault.noLastModified) {
    response.setHeader('Last-Modified', file.lastModified).setHeader('ETag', file.etag);
    if (isUnchanged(file, request)) return void response.writeHead(304).end();
  }
  const range = fault.noRange ? 'none' : rangeOf(file, request);
  if (!fault.noRange) response.setHeader('Accept-Ranges', 'bytes');
  const total = file.content.length;
  if (range === 'unsatisfiable') {
    return end(response, 416, { 'Content-Range': `bytes */${total}` });
  }
  const body = range === 'none' ? file.content : file.content.subarray(range.start, range.end + 1);
  if (range !== 'none') {
    response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${total}`);
  }
  response.writeHead(range === 'none' ? 200 : 206, { 'Content-Length': body.length });
  if (request.method === 'HEAD') return void response.end();
  await sendBody(body, response, fault);
}

/** RFC 9110 §13.2.2: If-None-Match wins over If-Modified-Since. */
function isUnchanged({ etag, lastModified }: FoundFile, { headers }: IncomingMessage): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) return tags === '*' || tags.split(/\s*,\s*/).includes(etag);
  const since = headers['if-modified-since'];
  return since !== undefined && Date.parse(lastModified) <= Date.parse(since);
}

/** One range of bytes, ends included (RFC 9110 §14.1.2); several are answered with everything. */
function rangeOf(
  { content, etag, lastModified }: FoundFile,
  { headers }: IncomingMessage,
): 'none' | 'unsatisfiable' | { start: number; end: number } {
  const match = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '');
  const condition = headers['if-range'];
  if (!match || (condition !== undefined && condition !== etag && condition !== lastModified)) {
    return 'none';
  }
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return 'none';
  const length = content.length;
  const start = first === '' ? Math.max(0, length - Number(last)) : Number(first);
  const end = first === '' || last === '' ? length - 1 : Math.min(Number(last), length - 1);
  return start > end ? 'unsatisfiable' : { start, end };
}

async function sendBody(body: Buffer, response: ServerResponse, fault: Fault): Promise<void> {
  const { resetAfterBytes, stallAfterBytes, rateBytesPerSecond } = fault;
  const part = body.subarray(0, resetAfterBytes ?? stallAfterBytes);
  if (rateBytesPerSecond === undefined) await write(part, response);
  else await trickle(part, response, rateBytesPerSecond);
  if (stallAfterBytes !== undefined) return;
  if (resetAfterBytes !== undefined) response.socket?.resetAndDestroy();
  else response.end();
}

/** In steps of a twentieth of a second. */
async function trickle(body: Buffer, response: ServerResponse, rate: number): Promise<void> {
  const step = Math.max(1, Math.floor(rate / 20));
  for (let at = 0; at < body.length && !response.destroyed; at += step) {
    await write(body.subarray(at, at + step), response);
    await sleep(50);
  }
}

/** Resolves when the bytes were handed to the socket, or the connection is gone. */
async function write(bytes: Buffer, response: ServerResponse): Promise<void> {
  response.flushHeaders();
  if (bytes.length === 0) return;
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.write(bytes, () => {
      response.off('close', resolve);
      resolve();
    });
  });
  if (!response.destroyed) sent.set(response, bytesSent(response) + bytes.length);
}

const sent = new WeakMap<ServerResponse, number>();

/** Bytes of a file's body that were handed to the socket. */
export function bytesSent(response: ServerResponse): number {
  return sent.get(response) ?? 0;
}
