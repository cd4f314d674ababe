import { createHash } from 'node:crypto';
import express, { type Router } from 'express';
import { kinds } from '../../../crds/index.ts';
import type { Kind } from '../../../crds/kind.ts';
import { apiVersion, group, version } from '../../../crds/object.ts';
import { checkTakesJson } from './accept.ts';
import { pathsOf } from './openapi-paths.ts';
import { schemasOf, sharedSchemas } from './openapi-schemas.ts';

/** How long clients may keep a document whose URL names its digest. Seconds. */
const keep = 31_536_000;

/**
 * OpenAPI v3 of all kinds, made from their schemas: what `kubectl explain` prints, and where kubectl
 * looks whether the server knows `fieldValidation` and `dryRun`. There is no v2, which is protobuf:
 * kubectl does without.
 */
export function openapiRouter(): Router {
  const router = express.Router();
  const path = `/openapi/v3/apis/${apiVersion}`;
  const text = JSON.stringify(openapiDocument());
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
  const serverRelativeURL = `${path}?hash=${hash}`;
  router.get('/openapi/v3', (req, res) => {
    checkTakesJson(req);
    res.json({ paths: { [`apis/${apiVersion}`]: { serverRelativeURL } } });
  });
  router.get(path, (req, res) => {
    checkTakesJson(req);
    if (req.query['hash'] === hash) res.set('Cache-Control', `public, immutable, max-age=${keep}`);
    res.set('ETag', `"${hash}"`).type('application/json').send(text);
  });
  return router;
}

/** The OpenAPI document of `cairn.build/v1alpha1`. */
export function openapiDocument(): object {
  const all = kinds as readonly Kind[];
  return {
    openapi: '3.0.0',
    info: { title: `${group}/${version}`, version },
    paths: Object.fromEntries(all.flatMap(pathsOf)),
    components: {
      schemas: { ...sharedSchemas, ...Object.fromEntries(all.flatMap(schemasOf)) },
    },
  };
}
