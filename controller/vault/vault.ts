import { join } from 'node:path';
import { KeyFolder, type KeyStore, type OwnSecrets } from '../../reconcilers/signing/key-store.ts';
import type { SecretName, Secrets } from '../../reconcilers/secrets.ts';
import type { Health } from '../health.ts';
import type { Log } from '../log.ts';
import { secretFolder } from '../secrets.ts';
import { Connection } from '../store/kubernetes/connection.ts';
import { findCluster } from '../store/kubernetes/kubeconfig.ts';
import type { KubernetesLocation } from '../store/open.ts';
import { ownTokens, type Tokens } from '../tokens.ts';
import { clusterSecrets } from './cluster-secrets.ts';
import { KeyBook } from './key-book.ts';
import { lateTokens } from './late-tokens.ts';
import { SecretBook } from './secret-book.ts';
import { tokensOf } from './token-book.ts';

export interface VaultOptions {
  readonly data: string;
  /** Secrets as files; `<data>/secrets` by default. */
  readonly secretsFolder?: string | undefined;
  /** Keeps everything on this API server; else in the data directory. */
  readonly kubernetes?: KubernetesLocation | undefined;
  readonly log: Log;
}

/** All that nobody may see. */
export interface Vault {
  readonly keyStore: KeyStore & OwnSecrets;
  /** As far as they are known: empty ones open nothing. */
  tokens(): Tokens;
  readonly secrets: Secrets;
  health(): Health;
  close(): Promise<void>;
}

/** Cairn's own Secrets, in the namespace of its Pod. */
const tokensName = 'cairn-tokens';
/** One Secret has room for some 700 keys, and adding to it takes the longer the more it has. */
const keysNames = [...'0123456789abcdef'].map((digit) => `cairn-keys-${digit}`);

/**
 * Opens the vault. That of a cluster is there at once, and has its tokens a moment later: the API
 * server may be away, or deny them; then it tries again.
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const { data, kubernetes, log } = options;
  const files = secretFolder(options.secretsFolder ?? join(data, 'secrets'));
  const keyFolder = new KeyFolder(join(data, 'keys'));
  const tokenFolder = join(data, 'tokens');
  if (!kubernetes) {
    const tokens = ownTokens(tokenFolder);
    const health = () => ({ live: [], ready: [] });
    return {
      keyStore: keyFolder,
      tokens: () => tokens,
      secrets: files,
      health,
      close: async () => {},
    };
  }
  const cluster = await findCluster(kubernetes.env);
  const home = cluster.namespace ?? kubernetes.namespace ?? 'default';
  const connection = new Connection({ cluster, log });
  const book = (name: string, type: string) =>
    new SecretBook({ connection, namespace: home, name, type: `cairn.build/${type}` });
  const isOwn = ({ namespace, name }: SecretName) =>
    namespace === home && (name === tokensName || keysNames.includes(name));
  const ofCluster = clusterSecrets({ connection, isOwn });
  const tokenBook = book(tokensName, 'tokens');
  const keyBooks = keysNames.map((name) => book(name, 'keys'));
  const late = lateTokens(() => tokensOf(tokenBook, tokenFolder, log), log);
  return {
    keyStore: new KeyBook(keyBooks, { folder: keyFolder, log }),
    tokens: () => late.tokens(),
    secrets: filesFirst(files, { within: kubernetes.namespace ?? home, else: ofCluster }),
    health: () => ({ live: [], ready: [late.check()] }),
    async close() {
      connection.close();
      await late.close();
    },
  };
}

/** Files are for objects of one namespace: whoever writes to another one was not meant. */
function filesFirst(
  files: Secrets,
  { within, else: others }: { readonly within: string; readonly else: Secrets },
): Secrets {
  return async (name) =>
    (name.namespace === within ? await files(name) : undefined) ?? (await others(name));
}
