import express, { type Request, type Router } from 'express';
import { kinds } from '../../../crds/index.ts';
import { group } from '../../../crds/object.ts';
import { mayDo } from '../roles.ts';
import { bodyObject, bodyType, maxBody } from './body.ts';
import { isRecord } from '../../../crds/record.ts';
import { accessReviewSpec, protobufType } from './protobuf.ts';
import { callerOf, type WriteRules } from './write-rules.ts';

/** What `kubectl auth whoami` and `kubectl auth can-i` ask. Nothing is stored. */
export function reviewsRouter(rules: WriteRules): Router {
  const router = express.Router();
  const body = express.raw({ type: () => true, limit: maxBody, inflate: false });

  router.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', body, (req, res) => {
    const { role, name } = callerOf(req, rules);
    const groups = [role === undefined ? 'system:unauthenticated' : 'system:authenticated'];
    res.status(201).json({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
      metadata: {},
      status: { userInfo: { username: name, groups, extra: { role: [role ?? 'none'] } } },
    });
  });

  router.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body, (req, res) => {
    const spec = askedIn(req);
    const allowed = isAllowed(req, spec, rules);
    res.status(201).json({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: {},
      spec,
      status: { allowed },
    });
  });
  return router;
}

function askedIn(req: Request): Readonly<Record<string, unknown>> {
  const isProtobuf = bodyType(req) === protobufType && Buffer.isBuffer(req.body);
  const spec = isProtobuf ? accessReviewSpec(req.body) : bodyObject(req)['spec'];
  return isRecord(spec) ? spec : {};
}

const readable: ReadonlySet<string> = new Set(['namespaces', 'events']);
const readingVerbs: ReadonlySet<string> = new Set(['get', 'list']);

function isAllowed(
  req: Request,
  { resourceAttributes, nonResourceAttributes }: Readonly<Record<string, unknown>>,
  rules: WriteRules,
): boolean {
  if (isRecord(nonResourceAttributes)) return nonResourceAttributes['verb'] === 'get';
  const asked = isRecord(resourceAttributes) ? resourceAttributes : {};
  const { verb, resource, subresource } = asked;
  const { role } = callerOf(req, rules);
  if (typeof verb !== 'string' || typeof resource !== 'string') return false;
  if ((asked['group'] ?? '') === '') return readable.has(resource) && readingVerbs.has(verb);
  if (role === 'admin' && (resource === '*' || verb === '*')) return true;
  const isOurs = asked['group'] === group && kinds.some(({ plural }) => plural === resource);
  return isOurs && mayDo(role, { verb, ...(typeof subresource === 'string' && { subresource }) });
}
