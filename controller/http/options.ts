import type { Registry } from 'prom-client';
import type { EventReader, Store, StorePeek } from '../../crds/store.ts';
import type { BlobReader } from '../../depot/depot.ts';
import type { Trees } from '../../depot/tree-reader.ts';
import type { Secrets } from '../../reconcilers/secrets.ts';
import type { Health } from '../health.ts';
import type { Log } from '../log.ts';
import type { Redirect } from '../redirect.ts';
import type { RoleTokens } from './access.ts';
import type { Certificate } from './certificate.ts';
import type { GiveReceipt, UploadBlobs } from './blob-route.ts';
import type { SourceInventory } from './inventory-route.ts';
import type { LazyPool } from './lazy.ts';
import type { Replicas } from './leader-log.ts';

export interface ServerOptions {
  readonly store: Store & StorePeek & EventReader;
  /** Only objects of this namespace have URLs; `default` when left out. */
  readonly namespace?: string;
  readonly blobs: BlobReader & UploadBlobs;
  readonly trees: Trees;
  /** Says of a file that it was sent, for a Repository. */
  readonly giveReceipt: GiveReceipt;
  readonly lazy: LazyPool;
  /** Has clients fetch large files from elsewhere. */
  readonly redirect?: Redirect | undefined;
  /** The armored public keys that sign an environment now, if it has been published. */
  readonly environmentKeys: (name: string) => Promise<string | undefined>;
  /** Compares two snapshots or environments; throws `CairnError`. */
  readonly diff?: (from: string, to: string, signal: AbortSignal) => Promise<unknown>;
  /** What each config source has applied. */
  readonly inventories?: () => Promise<readonly SourceInventory[]>;
  /** What git hosts sign their calls with. Left out: they are not listened to. */
  readonly secrets?: Secrets | undefined;
  /** Where Builds that are not through have their logs. */
  readonly buildsFolder?: string | undefined;
  /** Left out: that folder has all of them. */
  readonly replicas?: Replicas | undefined;
  readonly metrics: Registry;
  readonly health: () => Health;
  /** When the store can be read. Until then only probes and metrics are answered. Left out: it can. */
  readonly synced?: Promise<void> | undefined;
  readonly log: Log;
  /** Log every request, at debug. */
  readonly accessLog?: boolean;
  /** Opens private content. An empty token opens nothing. */
  readonly readToken: string;
  /** Opens private content and writes through the API. An empty token opens nothing. */
  readonly adminToken: string;
  /** What opens the API to other roles; they need none where nobody else can reach the server. */
  readonly roleTokens?: RoleTokens;
  /** How clients reach this server, if not by the Host they ask for: `https://apt.example.com`. */
  readonly externalUrl?: string;
  readonly now: () => Date;
}

/** Where to serve the same over TLS, and with which certificate. */
export interface SecureAddress extends Certificate {
  readonly host: string;
  readonly port: number;
}

export interface Listening {
  readonly url: string;
  /** Of the TLS server, if there is one. */
  readonly secureUrl?: string;
}

export interface Server {
  /** Reads the store, then accepts connections. Port 0 picks a free one. */
  listen(host: string, port: number, secure?: SecureAddress): Promise<Listening>;
  /** Accepts nothing new, lets running requests finish for so long, then cuts them off. */
  close(graceMs: number): Promise<void>;
}
