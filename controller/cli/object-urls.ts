import { mountPath } from '../../crds/mount-path.ts';
import { at, stringAt, type AnyObject } from './objects.ts';

/** Where to get what an object serves: rows of a label and a URL. */
export function objectUrls(object: AnyObject, server: URL): readonly (readonly string[])[] {
  const { name } = object.metadata;
  const url = (path: string) => new URL(encodeURI(path), server).href;
  switch (object.kind) {
    case 'Mirror': {
      const upstream = stringAt(object.spec, 'url');
      return upstream === undefined ? [] : [['archive', url(`/${mountPath(upstream)}`)]];
    }
    case 'Snapshot': {
      const id = stringAt(object.status, 'id') ?? name;
      return frozenUrls(`/snapshots/${id}`, membersOf(object.status), url);
    }
    case 'Environment':
      return frozenUrls(`/environments/${name}`, membersOf(at(object.status, 'published')), url);
    case 'Repository': {
      const root = `/repositories/${object.metadata.namespace}/${name}`;
      if (at(object.status, 'state') === undefined) return [];
      return [
        ['archive', url(root)],
        ['for clients', url(`${root}/client.sources`)],
      ];
    }
    case 'Build':
      return buildUrls(object, url);
    default:
      return [];
  }
}

function buildUrls({ metadata, status }: AnyObject, url: (path: string) => string) {
  const root = `/builds/${metadata.namespace}/${metadata.name}`;
  const artifacts = at(status, 'artifacts');
  const names = (Array.isArray(artifacts) ? artifacts : []).map((one) => stringAt(one, 'name'));
  const hasProvenance = at(status, 'provenance') !== undefined;
  return [
    ['log', url(`${root}/log`)],
    ...names.flatMap((file) => (file ? [['artifact', url(`${root}/artifacts/${file}`)]] : [])),
    ...(hasProvenance ? [['provenance', url(`${root}/provenance.json`)]] : []),
  ];
}

/** Archives, and what goes into /etc/apt/sources.list.d of a client. */
function frozenUrls(root: string, paths: readonly string[], url: (path: string) => string) {
  if (paths.length === 0) return [];
  const archives = paths.map((path) => ['archive', url(`${root}/${path}`)]);
  return [...archives, ['for clients', url(`${root}/client.sources`)]];
}

/** The mount paths, each once: several mirrors of one archive share theirs. */
function membersOf(value: unknown): readonly string[] {
  const members = at(value, 'members');
  const paths = (Array.isArray(members) ? members : []).map((member) => stringAt(member, 'path'));
  return [...new Set(paths.filter((path) => path !== undefined))].sort();
}
