import { ClientConfig } from './client-config.ts';
import { listDirectory, type Directory } from './directory.ts';
import type { OpenTrees } from './find.ts';
import { pageHeaders } from './html.ts';
import { locate, type Place } from './locate.ts';
import type { Area, MountTable, SnapshotArea } from './mount-table.ts';
import type { Mounts } from './mounts.ts';
import {
  areaPage,
  directoryPage,
  environmentFacts,
  overviewPage,
  rootPage,
  type AreaPage,
  type Choice,
} from './pages.ts';
import { unauthorized, type Reply } from './reply.ts';

export interface PageRequest {
  readonly segments: readonly string[];
  readonly place: Place | undefined;
  readonly mayRead: boolean;
  readonly base: string;
}

/** Directories as pages for people. */
export class SitePages {
  readonly #mounts: Mounts;
  readonly #trees: OpenTrees;

  constructor({ mounts, trees }: { readonly mounts: Mounts; readonly trees: OpenTrees }) {
    this.#mounts = mounts;
    this.#trees = trees;
  }

  /** The page of a directory; 401 when all of it may be private; undefined when there is none. */
  async answer({ segments, place, mayRead, base }: PageRequest): Promise<Reply | undefined> {
    const table = this.#mounts.table();
    if (segments.length === 0) return this.#root(table, mayRead, base);
    if (segments.length === 1) {
      const overview = overviewOf(segments[0] ?? '', table, this.#environments(table));
      if (overview !== undefined) return htmlReply(overview);
    }
    if (!place) return undefined;
    const isAreaRoot = place.inside === '' && place.area.kind !== 'live';
    const listed = await listDirectory(this.#trees, place, mayRead);
    if (isAreaRoot) return htmlReply(areaPage(this.#area(place.area, listed ?? nothing)));
    if (!listed) return undefined;
    if (listed.entries.length === 0) return unauthorized();
    return htmlReply(directoryPage(segments, listed));
  }

  async #root(table: MountTable, mayRead: boolean, base: string): Promise<Reply> {
    const place = locate(table, []);
    const live = place && (await listDirectory(this.#trees, place, mayRead));
    const environments = this.#environments(table);
    return htmlReply(rootPage({ base, environments, live: live ?? nothing }));
  }

  #environments({ environments }: MountTable): Choice[] {
    return [...environments.keys()].sort().map((name) => ({
      name,
      note: this.#mounts.environment(name)?.status?.published?.snapshot ?? 'nothing published yet',
    }));
  }

  #area(area: Area, directory: Directory): AreaPage {
    const files = ClientConfig.filesOf(area);
    const page = { title: `${area.kind} ${area.name}`, files, directory };
    const environment = this.#mounts.environment(area.name);
    if (area.kind !== 'environment' || !environment) return { ...page, facts: factsOf(area) };
    const history = (environment.status?.history ?? []).map(({ snapshot, from, until }) => ({
      name: snapshot,
      note: `${from} to ${until}`,
    }));
    return { ...page, facts: environmentFacts(environment), history };
  }
}

const nothing: Directory = { entries: [], hidden: false };

function overviewOf(
  first: string,
  { snapshots, mirrors, repositories }: MountTable,
  environments: readonly Choice[],
): string | undefined {
  if (first === 'environments') {
    return overviewPage(
      'Environments',
      environments,
      'Stable addresses, each showing one snapshot.',
    );
  }
  if (first === 'snapshots') {
    const choices = snapshots.map(({ name, takenAt }) => ({ name, note: iso(takenAt) }));
    const hint = 'Each can also be asked for by its uid, or by a time such as 20260801T120000Z.';
    return overviewPage('Snapshots', choices, hint);
  }
  if (first === 'repositories') {
    const choices = [...repositories.keys()].sort().map((name) => ({ name, note: '' }));
    return overviewPage('Repositories', choices, 'Archives of what is published here.');
  }
  if (first !== 'mirrors') return undefined;
  const choices = [...mirrors.keys()].sort().map((name) => ({ name, note: '' }));
  return overviewPage('Mirrors', choices, 'The last complete state of each upstream archive.');
}

function factsOf(area: Area): AreaPage['facts'] {
  if (!isSnapshot(area)) return [];
  return [
    ['Taken', iso(area.takenAt)],
    ['Of', `mirror set ${area.mirrorSet}`],
    ['Uid', area.uids[0] ?? ''],
  ];
}

function isSnapshot(area: Area): area is SnapshotArea {
  return area.kind === 'snapshot';
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function htmlReply(body: string): Reply {
  const headers = { ...pageHeaders, Vary: 'Authorization, Host' };
  return { status: 200, type: 'text/html; charset=utf-8', body, headers };
}
