import type { Found } from './find.ts';
import type { Place } from './locate.ts';
import type { Mount } from './mount-table.ts';
import type { Validators } from './conditional.ts';
import { isByHash, isPoolFile, suiteOf } from './suites.ts';

/** A file as it goes over the wire. */
export interface Representation extends Validators {
  readonly sha256: string;
  readonly found: Found;
  /** Sent with 200, 206 and 304 alike: names and values in turns. */
  readonly validating: readonly string[];
  /** All headers of a whole file. */
  readonly whole: readonly string[];
  readonly contentType: string;
}

/** Describes a found file: its validators, its type, how long caches may keep it. */
export function represent(found: Found): Representation {
  const { place, mount, entry } = found;
  const { size, sha256 } = entry;
  const etag = `"${sha256}"`;
  const modified = wholeSeconds(lastModified(mount, place.rest));
  const contentType = contentTypeOf(place.rest);
  const validating = [
    'ETag',
    etag,
    'Last-Modified',
    new Date(modified).toUTCString(),
    'Cache-Control',
    cacheControl(place, mount),
    ...(mount.public ? [] : ['Vary', 'Authorization']),
  ];
  const whole = [...contentHeaders(contentType, size), ...validating];
  return { sha256, size, etag, modified, found, validating, whole, contentType };
}

/** Upstream's files share an origin with our API: no browser may run them. */
export function contentHeaders(contentType: string, length: number): readonly string[] {
  return [
    'Content-Type',
    contentType,
    'Content-Length',
    String(length),
    'Accept-Ranges',
    'bytes',
    'X-Content-Type-Options',
    'nosniff',
  ];
}

/**
 * apt asks with If-Modified-Since alone, so this must grow whenever the content at one URL changes.
 * Files outside the suites keep their content under one name: theirs is constant.
 */
function lastModified(mount: Mount, path: string): number {
  const suite = suiteOf(mount, path);
  if (!suite) return mount.modified;
  return mount.suitesModified ?? Date.parse(suite.publishedAt);
}

function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}

function cacheControl({ area, pinned, rest }: Place, mount: Mount): string {
  const audience = mount.public ? 'public' : 'private';
  const pool = isPoolFile(mount, rest);
  if (pinned || isByHash(rest) || (pool && area.kind === 'snapshot')) {
    return `${audience}, max-age=31536000, immutable`;
  }
  if (pool) return `${audience}, max-age=86400`;
  return mount.public ? 'no-cache' : 'private, no-cache';
}

const types: readonly (readonly [RegExp, string])[] = [
  [/\.(deb|udeb|ddeb)$/, 'application/vnd.debian.binary-package'],
  [/\.xz$/, 'application/x-xz'],
  [/\.gz$/, 'application/gzip'],
  [/\.bz2$/, 'application/x-bzip2'],
  [/\.zst$/, 'application/zstd'],
  [/\.lzma$/, 'application/x-lzma'],
  [/\.lz4$/, 'application/x-lz4'],
  [/\.tar$/, 'application/x-tar'],
  [/\.(asc|gpg)$/, 'application/pgp-signature'],
  [/\.(dsc|txt|changes|buildinfo)$/, 'text/plain; charset=utf-8'],
  [
    /(^|\/)(InRelease|Release|Packages|Sources|Index|Translation-[A-Za-z_@-]+|Contents-[a-z0-9-]+|SHA256SUMS|MD5SUMS)$/,
    'text/plain; charset=utf-8',
  ],
];

/** By the end of a file's name. */
export function contentTypeOf(path: string): string {
  return types.find(([name]) => name.test(path))?.[1] ?? 'application/octet-stream';
}
