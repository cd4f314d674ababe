import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { StoreError, type Inventory, type InventoryEntry } from '../../../crds/store.ts';
import { plain } from '../../json.ts';
import type { Caller } from './connection.ts';
import { isRecord } from '../../../crds/record.ts';

/** A ConfigMap takes 1 MiB; longer texts are compressed, which makes room for some 30,000 entries. */
const longestText = 512 * 1024;
const longestCompressed = 700 * 1024; // base64 makes a third more of it
const longestInflated = 64 * 1024 * 1024;
const manager = 'cairn';

/**
 * What a config source has applied, as a ConfigMap beside it, which is written as a whole. Whoever
 * replaces it must have seen it in this same object, else it is a Conflict.
 */
export class ConfigMapInventory implements Inventory {
  readonly #connection: Caller;
  readonly #namespace: string;
  readonly #source: string;
  readonly #name: string;
  /** Of what was read last; empty when there was none. Undefined: never looked. */
  #version: string | undefined;

  /** `source` is `namespace/name`. */
  constructor(connection: Caller, source: string) {
    this.#connection = connection;
    const [namespace = '', name = ''] = source.split('/');
    this.#namespace = namespace;
    this.#source = name;
    this.#name = mapName(name);
  }

  async list(): Promise<InventoryEntry[]> {
    const body = await this.#read();
    if (body === undefined) return [];
    return entriesOf(await textOf(body), this.#name).sort(byKey);
  }

  async replace(entries: readonly InventoryEntry[]): Promise<void> {
    if (this.#version === undefined) await this.#read();
    const isNew = this.#version === '';
    const content = await contentOf(JSON.stringify(entries.toSorted(byKey)));
    const metadata = {
      name: this.#name,
      namespace: this.#namespace,
      labels: { 'app.kubernetes.io/managed-by': 'cairn' },
      annotations: { 'cairn.build/config-source': this.#source },
      ...(!isNew && { resourceVersion: this.#version }),
    };
    const query = `fieldManager=${manager}`;
    const path = isNew ? `${this.#collection}?${query}` : `${this.#path}?${query}`;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...content };
    this.#version = undefined; // whatever comes of it: it is read again before it is trusted
    const answer = await this.#connection.call({ method: isNew ? 'POST' : 'PUT', path, body });
    this.#version = versionOf(answer.body);
  }

  async #read(): Promise<Record<string, unknown> | undefined> {
    try {
      const { body } = await this.#connection.call({ method: 'GET', path: this.#path });
      this.#version = versionOf(body);
      return isRecord(body) ? body : {};
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'NotFound') throw error;
      this.#version = '';
      return undefined;
    }
  }

  get #collection(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#namespace)}/configmaps`;
  }

  get #path(): string {
    return `${this.#collection}/${encodeURIComponent(this.#name)}`;
  }
}

function mapName(source: string): string {
  const name = `cairn-inventory-${source}`;
  if (name.length <= 253) return name;
  const digest = createHash('sha256').update(source).digest('hex').slice(0, 32);
  return `cairn-inventory-${digest}`;
}

function versionOf(body: unknown): string {
  const { metadata } = isRecord(body) ? body : {};
  return isRecord(metadata) ? String(metadata['resourceVersion']) : '';
}

async function contentOf(text: string): Promise<object> {
  if (Buffer.byteLength(text) <= longestText) return { data: { entries: text } };
  const packed = await promisify(gzip)(text);
  if (packed.length > longestCompressed) {
    throw new StoreError('Invalid', 'a config source with so many objects fits no ConfigMap');
  }
  return { binaryData: { entries: packed.toString('base64') } };
}

async function textOf({ data, binaryData }: Record<string, unknown>): Promise<unknown> {
  if (isRecord(data)) return data['entries'];
  const packed = isRecord(binaryData) ? String(binaryData['entries'] ?? '') : '';
  const limit = { maxOutputLength: longestInflated };
  return (await promisify(gunzip)(Buffer.from(packed, 'base64'), limit)).toString('utf8');
}

/** Throws for what is damaged: nothing is pruned by a book that can't be read. */
function entriesOf(text: unknown, name: string): InventoryEntry[] {
  const parsed: unknown = typeof text === 'string' ? JSON.parse(text) : undefined;
  if (!Array.isArray(parsed) || !parsed.every(isEntry)) {
    throw new Error(`the ConfigMap ${name} does not hold an inventory`);
  }
  return plain(parsed);
}

function isEntry(value: unknown): value is InventoryEntry {
  if (!isRecord(value)) return false;
  const { digest } = value;
  return (
    (digest === undefined || typeof digest === 'string') &&
    ['kind', 'namespace', 'name', 'uid', 'file'].every((field) => typeof value[field] === 'string')
  );
}

function byKey(a: InventoryEntry, b: InventoryEntry): number {
  const [one, other] = [a, b].map(({ kind, namespace, name }) => [kind, namespace, name].join('/'));
  return (one ?? '') < (other ?? '') ? -1 : 1;
}
