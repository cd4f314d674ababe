import { armorKeyring } from '../../apt/openpgp.ts';
import type { BlobReader } from '../../depot/depot.ts';
import { authConf, frozenAptConf, liveAptConf } from './client-files.ts';
import { clientSources, mountUri } from './client-sources.ts';
import { mountsOf, type Area, type Mount } from './mount-table.ts';
import { plain, refusal, type Reply } from './reply.ts';

const largestKeyring = 8 * 1024 * 1024;

export interface ClientConfigOptions {
  readonly blobs: Pick<BlobReader, 'bytes'>;
  readonly environmentKeys: (name: string) => Promise<string | undefined>;
}

/** Who asks for configuration. */
export interface Caller {
  /** `http://host`, as this client reaches us. */
  readonly base: string;
  /** The first segments of the request: what the client calls this area. */
  readonly prefix: readonly string[];
}

/** The files beside an area's mounts that tell clients how to use it. */
export class ClientConfig {
  readonly #options: ClientConfigOptions;

  constructor(options: ClientConfigOptions) {
    this.#options = options;
  }

  /** The names of the files that an area has. */
  static filesOf({ kind }: Area): readonly string[] {
    const files = ['client.sources', 'apt.conf', 'auth.conf'];
    if (kind === 'environment' || kind === 'repository') return [...files, 'key.asc'];
    return kind === 'live' ? [] : files;
  }

  async answer(area: Area, file: string, caller: Caller): Promise<Reply> {
    if (file === 'key.asc') return this.#key(area);
    if (file === 'client.sources') return this.#sources(area, caller);
    return text(file === 'auth.conf' ? auth(area, caller) : aptConf(area, caller));
  }

  async #key(area: Area): Promise<Reply> {
    const [mount] = mountsOf(area);
    const keys =
      area.kind === 'environment'
        ? await this.#options.environmentKeys(area.name)
        : mount && (await this.#upstreamKeys(mount));
    if (keys === undefined)
      return refusal(404, `${area.kind} ${area.name} has not been signed yet`);
    return { status: 200, type: 'application/pgp-keys', body: keys };
  }

  async #sources(area: Area, caller: Caller): Promise<Reply> {
    const mounts = mountsOf(area);
    if (mounts.length === 0) return refusal(404, `${area.kind} ${area.name} serves nothing yet`);
    const keys = area.kind === 'environment' ? await this.#environmentKeys(area.name) : undefined;
    if (area.kind === 'environment' && keys === undefined) {
      return refusal(404, `environment ${area.name} has not been signed yet`);
    }
    const described = mounts.map(async (mount) => ({
      mount,
      uri: uriOf(area, mount, caller),
      key: keys ?? (await this.#upstreamKeys(mount)),
    }));
    return text(
      clientSources({
        mounts: await Promise.all(described),
        frozen: area.kind === 'snapshot',
        title: `Cairn, ${area.kind} ${area.name}. See also ${caller.base}/${caller.prefix.join('/')}/apt.conf`,
      }),
    );
  }

  async #environmentKeys(name: string): Promise<string | undefined> {
    const keys = await this.#options.environmentKeys(name);
    return keys === undefined ? undefined : armorKeyring(keys);
  }

  async #upstreamKeys({ keyring }: Mount): Promise<string | undefined> {
    if (keyring === undefined) return undefined;
    return armorKeyring(await this.#options.blobs.bytes(keyring, largestKeyring));
  }
}

/** Live mirrors are used where `apt -S` finds the path of their snapshots. */
function uriOf(area: Area, mount: Mount, { base, prefix }: Caller): string {
  return area.kind === 'mirror'
    ? mountUri(base, [], mount.livePath)
    : mountUri(base, prefix, mount.path);
}

function aptConf(area: Area, { base }: Caller): string {
  if (area.kind === 'snapshot' || area.kind === 'environment') return frozenAptConf();
  return liveAptConf(
    base,
    mountsOf(area).flatMap(({ suites }) => suites),
  );
}

function auth(area: Area, { base, prefix }: Caller): string {
  const [mount] = mountsOf(area);
  return authConf(base, area.kind === 'mirror' && mount ? mount.livePath.split('/') : prefix);
}

function text(body: string): Reply {
  return { status: 200, type: plain, body, headers: { Vary: 'Host' } };
}
