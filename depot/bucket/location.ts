/** Where a depot is: always a folder, and a bucket that the folder is then a cache of. */
export interface DepotLocation {
  readonly root: string;
  readonly bucket?: BucketLocation | undefined;
}

export interface BucketLocation {
  readonly name: string;
  /** What all keys begin with: empty, or with a slash at the end. */
  readonly prefix: string;
  /** The URL of an S3-compatible server; AWS's own for the region when left out. */
  readonly endpoint?: string | undefined;
  /** As the SDK finds it (AWS_REGION, the profile) when left out. */
  readonly region?: string | undefined;
  /** As the SDK finds them (the environment, a role of the Pod or machine) when left out. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** How clients of apt reach the server, where that is not `endpoint`. */
  readonly publicEndpoint?: string | undefined;
  /** How much of the blobs to keep in the folder, in bytes; most of its file system when left out. */
  readonly cacheBytes?: number | undefined;
}

/** As people write it. */
export function bucketUrl({ name, prefix }: BucketLocation): string {
  return `s3://${name}/${prefix}`;
}
