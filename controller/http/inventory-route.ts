import express, { type Router } from 'express';
import type { InventoryEntry } from '../../crds/store.ts';

/** What one config source has applied. */
export interface SourceInventory {
  readonly name: string;
  readonly entries: readonly InventoryEntry[];
}

/** `GET /api/v1/inventory`: what each config source has applied, for `cairn plan`. */
export function inventoryRoute(read: () => Promise<readonly SourceInventory[]>): Router {
  const router = express.Router();
  router.get('/api/v1/inventory', async (_req, res) => {
    res.json({ sources: await read() });
  });
  return router;
}
