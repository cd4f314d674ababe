import express, { type Request, type Response, type Router } from 'express';
import type { EventReader, Store } from '../../../crds/store.ts';
import { coreEvents, eventColumns, eventFields } from './core-events.ts';
import { streamEvents } from './event-watch.ts';
import { fieldRequirements } from './field-selector.ts';
import { labelRequirements, isMatching } from './label-selector.ts';
import { namespaceColumns, namespaces } from './namespaces.ts';
import { Representation } from './representation.ts';
import { textOf } from './selectors.ts';
import { ApiFailure } from './status.ts';
import type { ApiObject, TableColumn } from './table.ts';

export interface CoreOptions {
  readonly store: Store & EventReader;
  readonly now: () => Date;
  /** Ends watches when the server closes. */
  readonly shutdown: AbortSignal;
}

/**
 * What there is of `/api/v1`: namespaces and events, to read. `kubectl describe` asks for the events
 * of the object that it describes.
 */
export function coreRouter({ store, now, shutdown }: CoreOptions): Router {
  const router = express.Router();

  router.get('/api/v1/namespaces', async (req, res) => {
    const known = ['metadata.name', 'status.phase'];
    const fields = fieldRequirements(textOf(req, 'fieldSelector'), known);
    const labels = labelRequirements(textOf(req, 'labelSelector'));
    const items = (await namespaces(store)).filter(({ metadata }) => {
      const values = new Map([['metadata.name', metadata.name]]).set('status.phase', 'Active');
      const own = { 'kubernetes.io/metadata.name': metadata.name };
      return (
        fields.every((one) => (values.get(one.field) === one.value) !== one.negated) &&
        labels.every((one) => isMatching(own, one))
      );
    });
    answerList(req, res, { kind: 'NamespaceList', items, columns: namespaceColumns });
  });

  router.get('/api/v1/namespaces/:name', async (req, res) => {
    const found = (await namespaces(store)).find(
      ({ metadata }) => metadata.name === req.params.name,
    );
    answerOne(req, res, { what: 'namespaces', found, columns: namespaceColumns });
  });

  const listEvents = async (req: Request, res: Response): Promise<void> => {
    const { namespace } = req.params;
    const fields = fieldRequirements(textOf(req, 'fieldSelector'), eventFields);
    const within = typeof namespace === 'string' ? namespace : undefined;
    if (isWatch(req)) {
      const form = new Representation(req, eventColumns, now);
      return streamEvents({ req, res }, { store, namespace: within, fields, form }, shutdown);
    }
    const items = await coreEvents(store, within, fields);
    answerList(req, res, { kind: 'EventList', items, columns: eventColumns });
  };
  router.get('/api/v1/events', listEvents);
  router.get('/api/v1/namespaces/:namespace/events', listEvents);
  router.get('/api/v1/namespaces/:namespace/events/:name', async (req, res) => {
    const { namespace, name } = req.params;
    const events = await coreEvents(store, namespace, []);
    const found = events.find(({ metadata }) => metadata.name === name);
    answerOne(req, res, { what: 'events', found, columns: eventColumns });
  });
  return router;

  function answerList(
    req: Request,
    res: Response,
    list: { kind: string; items: readonly ApiObject[]; columns: readonly TableColumn[] },
  ): void {
    const { kind, items, columns } = list;
    const metadata = { resourceVersion: String(now().getTime()) };
    const form = new Representation(req, columns, now);
    res.json(form.list({ apiVersion: 'v1', kind, metadata, items }));
  }

  function answerOne(
    req: Request,
    res: Response,
    one: { what: string; found: ApiObject | undefined; columns: readonly TableColumn[] },
  ): void {
    const { what, found, columns } = one;
    const name = String(req.params['name']);
    if (found) res.json(new Representation(req, columns, now).one(found));
    else
      throw new ApiFailure(404, `${what} "${name}" not found`, { details: { kind: what, name } });
  }
}

function isWatch({ query: { watch } }: Request): boolean {
  return watch === 'true' || watch === '1';
}
