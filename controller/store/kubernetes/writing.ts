import { hostname } from 'node:os';
import type { ObjectKey } from '../../../crds/object.ts';
import type {
  EventLog,
  EventReader,
  InventoryStore,
  ManagerReader,
  StoreWriter,
} from '../../../crds/store.ts';
import type { Caller } from './connection.ts';
import { Events } from './events.ts';
import { ConfigMapInventory } from './inventory.ts';
import { pause } from './pace.ts';
import { Writer, type WriterOptions } from './writer.ts';

/** How often somebody who watches events has them read: kubectl asks the API server itself. */
const eventsMs = 3000;

/** All that a store writes, and what only the server itself can read. */
export type Writing = StoreWriter & ManagerReader & EventLog & EventReader & InventoryStore;

export type WritingParts = Omit<WriterOptions, 'connection'> & { readonly now: () => Date };

/** What is written through a caller, which may be a fenced one. */
export function writing(caller: Caller, { now, ...parts }: WritingParts): Writing {
  const writer = new Writer({ ...parts, connection: caller });
  const uid = ({ kind, namespace, name }: ObjectKey) => parts.cache(kind).get(namespace, name)?.uid;
  const events = new Events({ connection: caller, now, instance: hostname(), uid });
  return {
    create: (manifest, options) => writer.create(manifest, options),
    update: (object, options) => writer.update(object, options),
    updateStatus: (object, options) => writer.updateStatus(object, options),
    apply: (manifest, manager, options) => writer.apply(manifest, manager, options),
    applyStatus: (part, manager, options) => writer.applyStatus(part, manager, options),
    delete: (key, options) => writer.delete(key, options),
    managedFields: (key) => writer.managedFields(key),
    record: (event) => events.record(event),
    events: (regarding) => events.of(regarding),
    allEvents: (namespace) => events.all(namespace),
    nextEvent: (signal) => pause(eventsMs, signal),
    inventory: (source) => new ConfigMapInventory(caller, source),
  };
}
