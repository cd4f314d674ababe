import express, { type Request, type Response, type Router } from 'express';
import { aggregatedVersion, checkTakesJson } from './accept.ts';
import { coreGroup, namedGroups, type ApiGroup, type ApiResource } from './api-resources.ts';

/**
 * What there is in this API, in the two forms that clients know: one document for each group and
 * version, or all at once (`apidiscovery.k8s.io`), which newer clients ask for first.
 */
export function discoveryRouter(): Router {
  const router = express.Router();
  router.get('/api', (req, res) => discover(req, res, [coreGroup], apiVersions));
  router.get('/apis', (req, res) => discover(req, res, namedGroups, groupList));
  router.get('/api/v1', (req, res) => tell(req, res, resourceList(coreGroup)));
  for (const group of namedGroups) {
    const path = `/apis/${group.group}`;
    const one = { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) };
    router.get(path, (req, res) => tell(req, res, one));
    router.get(`${path}/${group.version}`, (req, res) => tell(req, res, resourceList(group)));
  }
  return router;
}

function tell(req: Request, res: Response, document: object): void {
  checkTakesJson(req);
  res.json(document);
}

function discover(
  req: Request,
  res: Response,
  groups: readonly ApiGroup[],
  plain: (req: Request) => object,
): void {
  const version = aggregatedVersion(req);
  res.vary('Accept');
  if (version === undefined) {
    res.json(plain(req));
    return;
  }
  const apiVersion = `apidiscovery.k8s.io/${version}`;
  const list = { kind: 'APIGroupDiscoveryList', apiVersion, metadata: {} };
  const type = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  // Clients compare the type word by word, and express would put a charset into it.
  res.setHeader('Content-Type', type);
  res.end(JSON.stringify({ ...list, items: groups.map(aggregate) }));
}

function apiVersions({ headers }: Request): object {
  const serverAddress = headers.host ?? '';
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }];
  return { kind: 'APIVersions', versions: [coreGroup.version], serverAddressByClientCIDRs };
}

function groupList(): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: namedGroups.map(groupEntry) };
}

function groupEntry({ group, version }: ApiGroup): object {
  const one = { groupVersion: `${group}/${version}`, version };
  return { name: group, versions: [one], preferredVersion: one };
}

function resourceList({ group, version, resources }: ApiGroup): object {
  const groupVersion = group === '' ? version : `${group}/${version}`;
  const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion };
  return { ...list, resources: resources.flatMap(entriesOf) };
}

function entriesOf(resource: ApiResource): readonly object[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = resource;
  return [
    {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...words(shortNames, categories),
    },
    ...resource.subresources.map((sub) => ({
      name: `${plural}/${sub.name}`,
      singularName: '',
      namespaced,
      kind,
      verbs: sub.verbs,
    })),
  ];
}

function aggregate({ group, version, resources }: ApiGroup): object {
  const versions = [{ version, resources: resources.map(aggregateOne), freshness: 'Current' }];
  return { metadata: group === '' ? {} : { name: group }, versions };
}

function aggregateOne(resource: ApiResource): object {
  const { group, version, kind, plural, singular, namespaced, verbs } = resource;
  const responseKind = { group, version, kind };
  return {
    resource: plural,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...words(resource.shortNames, resource.categories),
    ...(resource.subresources.length > 0 && {
      subresources: resource.subresources.map((sub) => ({
        subresource: sub.name,
        responseKind,
        verbs: sub.verbs,
      })),
    }),
  };
}

/** Left out when there are none, as the API server does. */
function words(shortNames: readonly string[], categories: readonly string[]): object {
  return {
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  };
}
