import type { BucketLocation } from '../../depot/open.ts';
import { parseBytes } from './bytes.ts';
import { UsageError, type Options } from './command.ts';

/** The options that have the blobs kept in a bucket. */
export const bucketOptions = {
  bucket: {
    type: 'string',
    value: 's3://NAME[/PREFIX]',
    description: 'keep what is mirrored in an S3 bucket, and DATA/depot as a cache of it',
  },
  'bucket-endpoint': {
    type: 'string',
    value: 'URL',
    description: 'the S3-compatible server of the bucket; AWS when left out',
  },
  'bucket-region': {
    type: 'string',
    value: 'NAME',
    description: 'the region of the bucket; AWS_REGION when left out',
  },
  'cache-size': {
    type: 'string',
    value: 'SIZE',
    description: 'how much of the bucket to keep in DATA, as in 50GiB; by default, all that fits',
  },
  'redirect-above': {
    type: 'string',
    value: 'SIZE',
    description: 'have clients fetch larger files from the bucket themselves, by URLs that expire',
  },
  'redirect-endpoint': {
    type: 'string',
    value: 'URL',
    description: 'how clients reach the server of the bucket, if not by --bucket-endpoint',
  },
} as const satisfies Options;

type Values = { readonly [Name in keyof typeof bucketOptions]?: string | undefined };

/** What the options say; throws UsageError. */
export function bucketOf(values: Values): {
  readonly bucket?: BucketLocation;
  readonly redirectAboveBytes?: number;
} {
  const { bucket, ...others } = values;
  if (bucket === undefined) {
    const [stray] = optionNames.filter((name) => others[name] !== undefined);
    if (stray !== undefined) throw new UsageError(`--${stray} is for --bucket`);
    return {};
  }
  const above = values['redirect-above'];
  const publicEndpoint = url('redirect-endpoint', values);
  if (publicEndpoint !== undefined && above === undefined) {
    throw new UsageError('--redirect-endpoint is for --redirect-above');
  }
  return {
    bucket: {
      ...nameAndPrefix(bucket),
      endpoint: url('bucket-endpoint', values),
      region: values['bucket-region'],
      publicEndpoint,
      cacheBytes: size('cache-size', values),
    },
    ...(above === undefined ? {} : { redirectAboveBytes: size('redirect-above', values) ?? 0 }),
  };
}

const optionNames = [
  'bucket-endpoint',
  'bucket-region',
  'cache-size',
  'redirect-above',
  'redirect-endpoint',
] as const;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const bucketPattern = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/+(.*))?$/;
const prefixPattern =
  /^(?!\.\.?(\/|$))[A-Za-z0-9!_.*'()-]+(\/(?!\.\.?(\/|$))[A-Za-z0-9!_.*'()-]+)*$/;

function nameAndPrefix(text: string): { name: string; prefix: string } {
  const [, name, path = ''] = bucketPattern.exec(text) ?? [];
  const prefix = path.replace(/\/+$/, '');
  if (name === undefined || (prefix !== '' && !prefixPattern.test(prefix))) {
    throw new UsageError(`--bucket ${text}: expected s3://NAME or s3://NAME/PREFIX`);
  }
  return { name, prefix: prefix === '' ? '' : `${prefix}/` };
}

function url(name: 'bucket-endpoint' | 'redirect-endpoint', values: Values): string | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const parsed = URL.parse(text);
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.password) {
    throw new UsageError(`--${name}: expected a URL as https://s3.example.com, without a password`);
  }
  return text;
}

function size(name: 'cache-size' | 'redirect-above', values: Values): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes === undefined) throw new UsageError(`--${name} ${text}: expected a size, as in 50GiB`);
  return bytes;
}
