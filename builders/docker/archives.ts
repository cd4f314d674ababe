import { createHash } from 'node:crypto';

/** An archive that a build may install from, and by whose keys it is told from others. */
export interface DeclaredArchive {
  /** http or https; the folder that holds `dists/`. */
  readonly uri: string;
  /** How containers call it, where `uri` means something here only, such as a port of the loopback interface; http. */
  readonly alias?: string | undefined;
  /** With a slash at the end: the folder of a flat repository. */
  readonly suites: readonly string[];
  /** None for flat repositories. */
  readonly components: readonly string[];
  /** It may send its clients to another server: it is our own, with its files in a bucket. */
  readonly mayRedirect?: boolean | undefined;
  /** OpenPGP keys, armored. Nothing that they have not signed is installed. */
  readonly key: string;
  /** A frozen copy: its Valid-Until is long over, and says nothing. */
  readonly frozen?: boolean | undefined;
  /** Sent along to the archive only, and never seen in a container: such as Authorization. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** An archive was declared in a way that apt would misunderstand, or not at all. */
export class ArchiveInvalid extends Error {
  override readonly name = 'ArchiveInvalid';
}

const word = /^[A-Za-z0-9][\w.+~:-]*$/;
const suiteForm = /^(\/|[A-Za-z0-9.][\w.+~:/-]*)$/;
const armorStart = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
const mostArchives = 64;
const mostWords = 32;
const mostKeyBytes = 1 << 20;

/** Refuses what must not get into a sources.list: it is a language with options and line ends. */
export function checkArchives(archives: readonly DeclaredArchive[]): void {
  if (archives.length > mostArchives) throw invalid(`more than ${mostArchives} archives`);
  archives.forEach(checkArchive);
}

function checkArchive({ uri, alias, suites, components, key }: DeclaredArchive): void {
  const name = checkUri(uri);
  if (alias !== undefined) checkUri(alias);
  if (suites.length === 0 || suites.length > mostWords)
    throw invalid(`${name}: needs 1 to ${mostWords} suites`);
  for (const suite of suites) checkSuite(name, suite, components);
  if (components.length > mostWords) throw invalid(`${name}: more than ${mostWords} components`);
  for (const component of components) {
    if (!component.split('/').every((part) => word.test(part))) {
      throw invalid(`${name}: component ${JSON.stringify(component)}`);
    }
  }
  const armored = key.trimStart();
  if (!armored.startsWith(armorStart) || key.length > mostKeyBytes) {
    throw invalid(`${name}: its key is no armored OpenPGP public key`);
  }
}

/** Gives what messages call it. */
function checkUri(uri: string): string {
  const url = URL.parse(uri);
  const name = url ? `${url.host}${url.pathname}` : JSON.stringify(uri).slice(0, 200);
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid(`${name}: not an http or https URL`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw invalid(`${name}: no credentials, query or fragment in the URL of an archive`);
  }
  const withoutV6 = uri.replace(/^https?:\/\/\[[0-9a-f:.]+\]/i, '');
  if (/[\s[\]'"\\]|%(?![0-9a-f]{2})/i.test(withoutV6))
    throw invalid(`${name}: a character that no URL has`);
  return name;
}

function checkSuite(name: string, suite: string, components: readonly string[]): void {
  if (!suiteForm.test(suite) || suite.split('/').includes('..')) {
    throw invalid(`${name}: suite ${JSON.stringify(suite)}`);
  }
  if (suite.endsWith('/') !== (components.length === 0)) {
    throw invalid(`${name}: a suite has components, and a flat repository (${suite}) has none`);
  }
}

function invalid(message: string): ArchiveInvalid {
  return new ArchiveInvalid(`archive ${message}`);
}

/**
 * The same archive as containers address it: always by http, since their proxy has to see what is asked for. Whether it goes
 * on by https is the proxy's affair.
 */
export function insideUri({ uri, alias = uri }: Pick<DeclaredArchive, 'uri' | 'alias'>): string {
  const { host, pathname } = new URL(alias);
  return `http://${host}${withSlash(pathname)}`;
}

export function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`;
}

/** The folder of a suite's Release files, below the archive's: '' or with a slash at the end. */
export function releaseFolder(suite: string): string {
  if (!suite.endsWith('/')) return `dists/${suite}/`;
  return suite === '/' || suite === './' ? '' : suite.replace(/^\.?\//, '');
}

/** The folder of the keys in a container, and a file of it for each archive. */
export const keyFolder = '/etc/apt/cairn';

export function keyFile(index: number): string {
  return `${keyFolder}/archive-${index}.asc`;
}

/** A sources.list(5) of these archives and nothing else, each trusted by its own key only. */
export function sourcesList(archives: readonly DeclaredArchive[], architecture: string): string {
  return archives
    .flatMap((archive, index) => {
      const { suites, components, frozen } = archive;
      const options = [
        `arch=${architecture}`,
        `signed-by=${keyFile(index)}`,
        ...(frozen === true ? ['check-valid-until=no'] : []),
      ];
      return suites.map((suite) =>
        ['deb', `[${options.join(' ')}]`, insideUri(archive), suite, ...components].join(' '),
      );
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** SHA-256 of a value as JSON; the keys of objects have to be in a fixed order. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}
