/** The objects of the scale measurements: what a large site would have declared. */
import { apiVersion } from '../../crds/object.ts';
import { suite } from '../archive.ts';

export interface Declared {
  readonly kind: string;
  readonly plural: string;
  readonly manifest: {
    readonly metadata: { readonly name: string; readonly namespace: string };
    readonly [field: string]: unknown;
  };
}

export interface Upstreams {
  /** The URL of the archive of a number. */
  readonly urlOf: (index: number) => string;
  readonly armoredKey: string;
}

/** Of each twenty objects: a Mirror, two MirrorSets, an Environment; the rest are Snapshots. */
const oneIn = { mirrors: 20, sets: 10, environments: 20 };

/** How many of each kind there are among so many objects. */
export function countsOf(objects: number) {
  const mirrors = Math.max(1, Math.floor(objects / oneIn.mirrors));
  const sets = Math.max(1, Math.floor(objects / oneIn.sets));
  const environments = Math.max(1, Math.floor(objects / oneIn.environments));
  return { mirrors, sets, environments, snapshots: objects - mirrors - sets - environments };
}

/** All in one namespace, in the order in which a person would declare them. */
export function population(objects: number, upstreams: Upstreams): Declared[] {
  const counts = countsOf(objects);
  const many = (count: number, make: (index: number) => Declared) =>
    Array.from({ length: count }, (_, index) => make(index));
  return [
    ...many(counts.mirrors, (index) => mirror(index, upstreams)),
    ...many(counts.sets, (index) => mirrorSet(`set-${index}`, index, counts.mirrors)),
    ...many(counts.snapshots, (index) => snapshot(`snapshot-${index}`, index % counts.sets)),
    ...many(counts.environments, (index) => environment(index, counts.snapshots)),
  ];
}

function mirror(index: number, { urlOf, armoredKey }: Upstreams): Declared {
  return declared('Mirror', 'mirrors', `mirror-${index}`, {
    labels: { team: `team-${index % 100}` },
    spec: {
      url: urlOf(index),
      suites: [suite],
      components: ['main'],
      architectures: ['amd64'],
      signedBy: { inline: armoredKey },
      interval: '1d',
      public: true,
    },
  });
}

/** One to four Mirrors by name; every tenth set is by label, of some five. */
export function mirrorSet(name: string, index: number, mirrors: number): Declared {
  const members = Array.from({ length: 1 + (index % 4) }, (_, turn) => ({
    name: `mirror-${(index + turn * 7) % mirrors}`,
  }));
  const unique = [...new Map(members.map((member) => [member.name, member])).values()];
  const spec =
    index % 10 === 9
      ? { selector: { matchLabels: { team: `team-${index % Math.min(100, mirrors)}` } } }
      : { mirrors: unique };
  return declared('MirrorSet', 'mirrorsets', name, { spec });
}

export function snapshot(name: string, set: number): Declared {
  return declared('Snapshot', 'snapshots', name, {
    spec: { mirrorSetRef: { name: `set-${set}` } },
  });
}

function environment(index: number, snapshots: number): Declared {
  const name = `snapshot-${(index * 7) % snapshots}`;
  return declared('Environment', 'environments', `environment-${index}`, {
    spec: { snapshotRef: { name } },
  });
}

function declared(
  kind: string,
  plural: string,
  name: string,
  { labels, spec }: { readonly labels?: object; readonly spec: object },
): Declared {
  const metadata = { name, namespace: 'default', ...(labels && { labels }) };
  return { kind, plural, manifest: { apiVersion, kind, metadata, spec } };
}
