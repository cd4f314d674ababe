import { asCairnError, CairnError } from '../../crds/reasons.ts';
import { isRecord } from '../../crds/record.ts';
import { StoreError } from '../../crds/store.ts';
import type { Secret, SecretName, Secrets } from '../../reconcilers/secrets.ts';
import type { Caller } from '../store/kubernetes/connection.ts';
import { textsOf } from './secret-book.ts';

export interface ClusterSecretsOptions {
  readonly connection: Caller;
  /** Whether a Secret is Cairn's own, and so nobody's to refer to. */
  readonly isOwn: (name: SecretName) => boolean;
  /** The time that passes, in milliseconds. */
  readonly clock?: () => number;
}

/** A rotated Secret counts after so long. */
const freshMs = 15_000;
/** One that is missing, or denied, is somebody's next step. */
const freshFailureMs = 3000;
/** While the API server is away, what was known last counts. */
const goodForMs = 3_600_000;
const mostKnown = 256;
/** How long an answer may take, where another one is known and where none is. */
const patienceMs = { known: 2000, unknown: 10_000 } as const;
const ownType = /^cairn\.build\//;

interface Known {
  readonly value: Promise<Secret | undefined>;
  readonly at: number;
  freshMs: number;
  /** What the server has said last, and when. */
  told?: { readonly secret: Secret | undefined; readonly at: number } | undefined;
}

/**
 * Secrets of the cluster, got by name when they are used. Throws `AccessDenied`, whose message
 * names verb and resource, and `StoreUnavailable`.
 */
export function clusterSecrets(options: ClusterSecretsOptions): Secrets {
  const { clock = () => performance.now() } = options;
  const known = new Map<string, Known>();

  return (name) => {
    const id = `${name.namespace}/${name.name}`;
    const before = known.get(id);
    if (before && clock() - before.at < before.freshMs) return before.value;
    const entry = begin(name, before?.told);
    remember(known, id, entry);
    return entry.value;
  };

  function begin(name: SecretName, told: Known['told']): Known {
    const at = clock();
    const deadlineMs = told ? patienceMs.known : patienceMs.unknown;
    const value = read(options, name, deadlineMs).then(
      (secret) => {
        entry.told = { secret, at };
        if (secret === undefined) entry.freshMs = freshFailureMs;
        return secret;
      },
      (error: unknown) => {
        entry.freshMs = freshFailureMs;
        if (isAway(error) && told && at - told.at < goodForMs) return told.secret;
        throw asCairnError(error);
      },
    );
    const entry: Known = { value, at, freshMs, told };
    return entry;
  }
}

/** The oldest one gives way. */
function remember(known: Map<string, Known>, id: string, entry: Known): void {
  known.delete(id);
  known.set(id, entry);
  const [oldest] = known.keys();
  if (known.size > mostKnown && oldest !== undefined) known.delete(oldest);
}

function isAway(error: unknown): boolean {
  return error instanceof StoreError && error.reason === 'Unavailable';
}

async function read(
  { connection, isOwn }: ClusterSecretsOptions,
  name: SecretName,
  deadlineMs: number,
): Promise<Secret | undefined> {
  if (isOwn(name)) throw ownSecret(name);
  const [namespace, object] = [name.namespace, name.name].map(encodeURIComponent);
  const path = `/api/v1/namespaces/${namespace}/secrets/${object}`;
  try {
    const { body } = await connection.call({
      method: 'GET',
      path,
      deadlineMs,
      fence: () => deadlineMs,
    });
    const { type, data } = isRecord(body) ? body : {};
    if (typeof type === 'string' && ownType.test(type)) throw ownSecret(name);
    return Object.fromEntries(
      Object.entries(textsOf(data)).map(([key, value]) => [key, value.replace(/\r?\n$/, '')]),
    );
  } catch (error) {
    if (error instanceof StoreError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}

function ownSecret({ namespace, name }: SecretName): CairnError {
  const told = `the Secret ${namespace}/${name} is Cairn's own: no manifest may refer to it`;
  return new CairnError('AccessDenied', told);
}
