import { suitesOf, type RepositorySpec } from '../../crds/repository.ts';

/** An index that a repository has: Packages of an architecture, or Sources. */
export interface IndexPlace {
  readonly suite: string;
  readonly component: string;
  /** `source` for Sources. */
  readonly architecture: string;
}

/** The path of an index below its suite's directory, without the extension of its compression. */
export function indexPath({ component, architecture }: IndexPlace): string {
  return architecture === 'source'
    ? `${component}/source/Sources`
    : `${component}/binary-${architecture}/Packages`;
}

/** Every index that a spec asks for. */
export function placesOf(spec: RepositorySpec): IndexPlace[] {
  return suitesOf(spec).flatMap(({ name: suite, components, architectures }) =>
    components.flatMap((component) =>
      [...architectures, 'source'].map((architecture) => ({ suite, component, architecture })),
    ),
  );
}

/** Whether packages for an architecture belong into an index. */
export function holds({ architecture }: IndexPlace, packages: string): boolean {
  return architecture === packages || (packages === 'all' && architecture !== 'source');
}

/** The path of the Contents of an index below its suite's directory, without compression. */
export function contentsPath({ component, architecture }: IndexPlace): string {
  return `${component}/Contents-${architecture}`;
}

/** A suite's directory, with a slash at the end. */
export function directoryOf({ suite }: Pick<IndexPlace, 'suite'>): string {
  return `dists/${suite}/`;
}
