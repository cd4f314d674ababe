import { Readable } from 'node:stream';
import { MirrorKind, type Mirror, type MirrorSpec } from '../../crds/mirror.ts';
import { CairnError } from '../../crds/reasons.ts';
import type { StoreReader } from '../../crds/store.ts';
import type { Blobs } from '../../depot/depot.ts';
import type { HostSlots } from '../fetch/slots.ts';
import { Upstream, type Credentials, type Growing } from '../fetch/upstream.ts';
import type { Secrets } from '../secrets.ts';
import { KeptUpstreams } from '../fetch/kept-upstreams.ts';
import { Download } from './download.ts';
import { upstreamOf } from './upstream-of.ts';

/** A pool file that a lazy mirror lists and the depot does not hold yet. */
export interface WantedFile {
  readonly mirror: string;
  readonly namespace: string;
  readonly url: string;
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

export interface LazyDeps {
  readonly store: StoreReader;
  readonly blobs: Blobs;
  readonly slots: HostSlots;
  readonly secrets: Secrets;
}

interface Fetched {
  readonly size: number;
  stream(range?: { readonly start: number; readonly end: number }): Promise<Readable>;
}

/** Fewer than a refresh makes: somebody is waiting. */
const retries = 2;
/** Smaller files are verified before the first byte is sent; for larger ones apt would time out. */
const readAlongBytes = 4 * 1024 * 1024;

/**
 * Fetches pool files of lazy mirrors when somebody asks for them. Everybody who asks for the same
 * file shares one download. A large file is sent while it arrives, but never its end before all of
 * it is verified: what turns out wrong breaks off.
 */
export class LazyFiles {
  readonly #deps: LazyDeps;
  readonly #running = new Map<string, Download>();
  readonly #upstreams = new KeptUpstreams();

  constructor(deps: LazyDeps) {
    this.#deps = deps;
  }

  /** Throws FileMissing when upstream doesn't have the file any more. */
  async fetch(file: WantedFile, signal: AbortSignal): Promise<Fetched> {
    const { blobs } = this.#deps;
    const { sha256, size } = file;
    const kept: Fetched = { size, stream: (range) => blobs.read(sha256, range) };
    if ((await blobs.size(sha256)) === size) return kept;
    const download = await this.#downloadOf(file);
    const leave = download.join();
    signal.addEventListener('abort', leave, { once: true });
    try {
      if (size < readAlongBytes) await orAborted(download.done, signal);
      else await orAborted(Promise.race([download.begun, download.done]), signal);
    } catch (error) {
      leave();
      throw error;
    }
    if ((await blobs.size(sha256)) === size) {
      leave();
      return kept;
    }
    const last = size - 1;
    return {
      size,
      stream: async ({ start, end } = { start: 0, end: last }) => {
        const stream = Readable.from(download.follow(start, end), { objectMode: false });
        return stream.once('close', leave);
      },
    };
  }

  /** The download of a file; one that nobody waited for any more puts its bytes away first. */
  async #downloadOf(file: WantedFile): Promise<Download> {
    for (;;) {
      const running = this.#running.get(keyOf(file));
      if (!running?.isStopped) return running ?? this.#start(file);
      await running.done.catch(() => {});
    }
  }

  #start(file: WantedFile): Download {
    const download = new Download(
      () => this.#deps.blobs.path(file.sha256),
      (signal, onGrowth) => this.#download(file, signal, onGrowth),
    );
    this.#running.set(keyOf(file), download);
    const forget = () => this.#running.delete(keyOf(file));
    download.done.then(forget, forget);
    return download;
  }

  async #download(
    file: WantedFile,
    signal: AbortSignal,
    onGrowth: (growing: Growing) => void,
  ): Promise<void> {
    const { blobs } = this.#deps;
    const { spec, credentials } = await this.#access(file);
    const key = JSON.stringify([file.url, spec?.limits, spec?.proxy, credentials]);
    const blob = await this.#upstreams.use(
      key,
      () => this.#open(file.url, spec, credentials),
      (upstream) => upstream.blob([file.path], file, { blobs, signal, onGrowth }),
    );
    if (!blob) {
      throw new CairnError(
        'FileMissing',
        `${file.url} does not have ${file.path} any more, and nobody asked for it in time`,
      );
    }
  }

  /** As the Mirror says now; after it has been deleted, as a snapshot remembers it. */
  async #access({ mirror, namespace, url }: WantedFile) {
    const { store, secrets } = this.#deps;
    const key = { kind: MirrorKind.kind, namespace, name: mirror };
    const found = (await store.get(key)) as Mirror | undefined;
    const spec = found?.spec.url === url ? found.spec : undefined;
    const name = spec?.secretRef?.name;
    const credentials = name === undefined ? undefined : await secrets({ namespace, name });
    return { spec, credentials };
  }

  #open(url: string, spec: MirrorSpec | undefined, credentials: Credentials | undefined): Upstream {
    const { slots } = this.#deps;
    if (spec)
      return upstreamOf({ ...spec, limits: { ...spec.limits, retries } }, credentials, slots);
    return new Upstream({ url, connections: 8, stallMs: 30_000, retries, slots });
  }
}

/** Bytes of another archive are none to wait for: that may be slow, or lie about the size. */
function keyOf({ url, sha256, size }: WantedFile): string {
  return `${url} ${sha256} ${size}`;
}

async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
